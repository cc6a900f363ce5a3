from pathlib import Path

import pytest

from mooring.artifacts.cache import ModelCache
from mooring.artifacts.errors import ArtifactError, ModelMissing, SourceAway, UnusableUri
from tests.mlflow_server import FILES, MlflowServer

pytestmark = pytest.mark.slow


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_version_its_alias_its_number_and_its_logged_model_are_one_entry(
    cache: ModelCache, mlflow: MlflowServer
) -> None:
    name = mlflow.new_model("with blank and ü")
    model_id, path = mlflow.log_model()
    source = f"models:/{model_id}"
    mlflow.api("POST", "/model-versions/create", name=name, source=source, model_id=model_id)
    mlflow.set_alias(name, 1, "champion")

    uris = [f"models:/{name}/1", f"models:/{name}@champion", f"models:/{name}/latest", source]
    entries = {cache.ensure(uri) for uri in [*uris, f"mlflow-artifacts:/{path}"]}

    assert len(entries) == 1
    assert contents(entries.pop()) == FILES


def test_an_alias_that_moved_leads_to_the_new_version(cache: ModelCache, mlflow: MlflowServer) -> None:
    name = mlflow.new_model()
    for number in (1, 2):
        mlflow.new_version(name, files={"MLmodel": b"%d" % number})
        mlflow.set_alias(name, number, "champion")
        assert contents(cache.ensure(f"models:/{name}@champion")) == {"MLmodel": b"%d" % number}


def test_a_model_registered_from_another_one_has_its_files(cache: ModelCache, mlflow: MlflowServer) -> None:
    first, second = mlflow.new_model(), mlflow.new_model()
    mlflow.new_version(first)
    mlflow.api("POST", "/model-versions/create", name=second, source=f"models:/{first}/1")

    assert contents(cache.ensure(f"models:/{second}/1")) == FILES


def test_a_run_leads_to_its_logged_model_or_to_its_own_files(cache: ModelCache, mlflow: MlflowServer) -> None:
    run_id, path = mlflow.new_run()
    mlflow.log_model({"MLmodel": b"logged"}, run_id=run_id)
    mlflow.put_file(f"{path}/old style/MLmodel", b"in the run")

    assert contents(cache.ensure(f"runs:/{run_id}/model")) == {"MLmodel": b"logged"}
    assert contents(cache.ensure(f"runs:/{run_id}/old style")) == {"MLmodel": b"in the run"}


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}"])
def test_a_folder_is_copied_and_a_change_is_noticed(cache: ModelCache, tmp_path: Path, form: str) -> None:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a").write_bytes(b"one")
    first = cache.ensure(form.format(folder))

    (folder / "sub" / "a").write_bytes(b"other")

    assert contents(first) == {"sub/a": b"one"}
    assert contents(cache.ensure(form.format(folder))) == {"sub/a": b"other"}


def test_cached_files_are_read_only_and_a_folders_own_files_are_not(cache: ModelCache, tmp_path: Path) -> None:
    origin = tmp_path / "model" / "MLmodel"
    origin.parent.mkdir()
    origin.write_bytes(b"")
    before = origin.stat().st_mode

    assert (cache.ensure(str(origin.parent)) / "MLmodel").stat().st_mode & 0o777 == 0o444
    assert origin.stat().st_mode == before


@pytest.mark.parametrize(
    ("uri", "kind", "reason"),
    [
        ("models:/no such model/1", ModelMissing, "no such model"),
        ("models:/no-such-model@champion", ModelMissing, "no-such-model"),
        ("models:/m-" + "0" * 32, ModelMissing, "m-000"),
        ("runs:/no-such-run/model", ModelMissing, "no-such-run"),
        ("mlflow-artifacts:/0/nothing", ModelMissing, "no files at"),
        ("/no/such/folder", ModelMissing, "no folder /no/such/folder"),
        ("models:/name", UnusableUri, "not of the form"),
        ("models:/", UnusableUri, "not of the form"),
        ("models:/a/b/c", UnusableUri, "not of the form"),
        ("runs:/only-a-run", UnusableUri, "not of the form"),
        ("gopher://host/x", UnusableUri, "cannot read from gopher"),
        ("file://other-machine/x", UnusableUri, "other-machine"),
        ("mlflow-artifacts:/a/../../etc", UnusableUri, "plain form"),
        ("mlflow-artifacts://169.254.169.254/latest", UnusableUri, "another server"),
    ],
)
def test_what_cannot_be_had_is_named_with_the_reason(
    cache: ModelCache, tmp_path: Path, uri: str, kind: type[ArtifactError], reason: str
) -> None:
    with pytest.raises(kind, match=reason):
        cache.ensure(uri)
    assert not list(tmp_path.glob("cache/entries/*"))


def test_without_a_server_a_registered_model_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UnusableUri, match="--mlflow-uri"):
        ModelCache(tmp_path).ensure("models:/m/1")


def test_a_server_that_is_away_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(SourceAway, match="does not answer"):
        ModelCache(tmp_path, "http://127.0.0.1:9").ensure("models:/m/1")
