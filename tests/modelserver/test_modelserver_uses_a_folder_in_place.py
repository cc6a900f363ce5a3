"""A local model is neither copied nor changed, so that one read-only folder can serve a whole machine."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.modelserver.conftest import Replica, Shelf

Start = Callable[..., "Replica"]
pytestmark = pytest.mark.slow

State = dict[str, tuple[int, int]]
ORDER = {"dataframe_records": [{"order": "hello"}]}


def _state(folder: Path) -> State:
    """Everything in it with its time of modification and its mode (root can write what is read-only)."""
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_mode) for path in (folder, *folder.rglob("*"))}


@contextmanager
def _read_only(folder: Path) -> Iterator[State]:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield _state(folder)
    finally:
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", ["packaged", "moody", "cancer"])
def test_a_read_only_folder_stays_as_it_is(name: str, shelf: "Shelf", replica: Start, tmp_path: Path) -> None:
    folder, scratch = tmp_path / name, tmp_path / "scratch"
    shutil.copytree(getattr(shelf, name), folder, ignore=shutil.ignore_patterns("__pycache__"))
    scratch.mkdir()
    with _read_only(folder) as before:
        server = replica(folder, env={"TMPDIR": str(scratch)}).until_ready()
        if name != "cancer":
            assert server.http.post("/invocations", json=ORDER).json() == {"predictions": ["HELLO"]}
        assert _files(scratch) == []
        assert server.end() == 0
        assert _state(folder) == before


@pytest.mark.parametrize("as_uri", [False, True])
def test_by_its_path_and_by_its_uri(as_uri: bool, shelf: "Shelf", replica: Start, tmp_path: Path) -> None:
    folder, scratch = tmp_path / "a modèl & more", tmp_path / "scratch"  # `#` and `%` are beyond MLflow
    shutil.copytree(shelf.moody, folder)
    scratch.mkdir()
    server = replica(folder.as_uri() if as_uri else folder, env={"TMPDIR": str(scratch)}).until_ready()
    assert server.http.post("/invocations", json=ORDER).json() == {"predictions": ["HELLO"]}
    assert _files(scratch) == []
