"""The small tools below the runtime, where a mistake would start a replica twice or leave one behind."""

import contextlib
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mooring.runtimes.process import lock, removal
from tests.runtimes.harbour import WAIT_SECONDS

NOBODY = 65534


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not lock.is_held(path)
    held = lock.take(path)
    assert held is not None
    assert lock.is_held(path)
    assert lock.take(path) is None
    assert lock.take_within(path, timeout_seconds=0.05) is None
    os.close(held)
    assert not lock.is_held(path)


def test_a_lock_lives_as_long_as_its_last_copy(tmp_path: Path) -> None:
    held = lock.take(tmp_path / "lock")
    assert held is not None
    copy = os.dup(held)
    os.close(held)
    assert lock.is_held(tmp_path / "lock")
    os.close(copy)
    assert not lock.is_held(tmp_path / "lock")


def test_a_lock_is_never_that_of_a_removed_file(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    def take_and_remove(_: int) -> None:
        held = lock.take_within(path, timeout_seconds=WAIT_SECONDS)
        assert held is not None
        try:
            assert os.path.samestat(os.fstat(held), path.stat())
            path.unlink()
        finally:
            os.close(held)

    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(take_and_remove, range(400)))) == 400


def test_a_folder_that_its_program_has_locked_is_removed() -> None:
    with tempfile.TemporaryDirectory() as outer:
        folder = Path(outer) / "replicas" / "replica1"
        inner = folder / "home" / "locked"
        inner.mkdir(parents=True)
        (inner / "file").touch()
        (inner / "out").symlink_to("/")
        for path in (inner / "file", inner, folder / "home", folder, folder.parent, Path(outer)):
            if os.geteuid() == 0:
                os.chown(path, NOBODY, NOBODY)
        inner.chmod(0o500)
        (folder / "home").chmod(0)
        as_ordinary_user(lambda: removal.remove(folder))
        assert list(folder.parent.iterdir()) == []


def test_what_an_interrupted_removal_left_is_removed_by_the_next(tmp_path: Path) -> None:
    (tmp_path / ".forgotten-replica1" / "home").mkdir(parents=True)
    (tmp_path / "replica1").mkdir()
    removal.remove(tmp_path / "replica1")
    assert list(tmp_path.iterdir()) == []


def as_ordinary_user(act: Callable[[], None]) -> None:
    """Permissions mean nothing to root, so it acts as nobody, in a child."""
    if os.geteuid() != 0:
        act()
        return
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.setuid(NOBODY)
            act()
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_folder_is_removed_however_deep_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "replica1"
    folder.mkdir()
    here = os.open(folder, os.O_RDONLY)
    for _ in range(3000):  # neither a recursion nor a path can be that long
        os.mkdir("deeper", dir_fd=here)
        below = os.open("deeper", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.symlink(tmp_path, "link", dir_fd=here)
    os.close(here)
    (tmp_path / "other").touch()
    removal.remove(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
