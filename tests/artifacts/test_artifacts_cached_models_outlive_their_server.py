from pathlib import Path

import pytest

from mooring.artifacts.cache import ModelCache
from mooring.artifacts.deadline import Deadline
from mooring.artifacts.errors import ArtifactError, SourceAway, TookTooLong
from mooring.artifacts.foreign import fetch_foreign
from tests.mlflow_server import FILES, running_mlflow


@pytest.mark.slow
def test_a_cached_version_is_had_while_the_server_is_away_and_another_is_not(tmp_path: Path) -> None:
    with running_mlflow(tmp_path / "mlflow") as server:
        name = server.new_model()
        server.new_version(name)
        server.new_version(name)
        server.set_alias(name, 1, "champion")
        cache = ModelCache(tmp_path / "cache", server.url)
        entry = cache.ensure(f"models:/{name}/1")
        cache.ensure(f"models:/{name}@champion")

    assert cache.ensure(f"models:/{name}/1") == entry
    assert (entry / "MLmodel").read_bytes() == FILES["MLmodel"]
    for elsewhere in (f"models:/{name}/2", f"models:/{name}@champion"):
        with pytest.raises(SourceAway, match="does not answer"):
            cache.ensure(elsewhere)


@pytest.mark.slow
def test_other_stores_are_read_by_mlflow_itself_in_another_process(tmp_path: Path) -> None:
    origin, folder = tmp_path / "origin", tmp_path / "staging"
    origin.mkdir()
    (origin / "MLmodel").write_bytes(b"x")
    folder.mkdir()

    fetched = fetch_foreign(origin.as_uri(), folder, None, Deadline.after(60, "it"))

    assert (fetched / "MLmodel").read_bytes() == b"x"
    with pytest.raises(ArtifactError, match="missing"):
        fetch_foreign((tmp_path / "missing").as_uri(), folder, None, Deadline.after(60, "it"))


def test_another_store_that_hangs_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(TookTooLong, match="it was not complete"):
        fetch_foreign("file:///x", tmp_path, None, Deadline.after(0.2, "it"))
