"""What a job has left is fetched as the job saw it, and nothing of the machine's with it (classes 1 and 2)."""

import errno
from pathlib import Path

import pytest

from mooring.runtimes.base import Mount
from mooring.runtimes.sandbox import collecting
from tests.runtimes.harbour import until
from tests.runtimes.sandboxes import Sandboxes


def _make(sandboxes: Sandboxes, program: str, **options: object) -> None:
    said = sandboxes.run(sandboxes.spec(f"import os\n{program}", outputs=["/app/out"], **options))  # type: ignore[arg-type]
    assert said == [], said


def _collect(sandboxes: Sandboxes, path: str, name: str = "collected") -> Path | None:
    target = sandboxes.folder / name
    return target if sandboxes.harbour.runtime.collect("job1", path, target) else None


def test_a_file_and_a_folder_come_back(sandboxes: Sandboxes) -> None:
    _make(sandboxes, "os.makedirs('/app/out/a')\nopen('/app/out/a/b', 'w').write('b')\nopen('/tmp/t', 'w').write('t')")
    folder, file = _collect(sandboxes, "/app/out"), _collect(sandboxes, "/tmp/t", "file")
    assert folder
    assert (folder / "a" / "b").read_text() == "b"
    assert file
    assert file.read_text() == "t"
    assert sandboxes.harbour.runtime.collect("job1", "/app/out/a/b", sandboxes.folder / "again")


def test_what_is_not_there_is_none(sandboxes: Sandboxes) -> None:
    _make(sandboxes, "open('/app/file', 'w')")
    assert _collect(sandboxes, "/app/out") is None
    assert _collect(sandboxes, "/app/file/below") is None
    assert not (sandboxes.folder / "collected").exists()


def test_what_lies_in_a_mounted_folder_comes_back(sandboxes: Sandboxes) -> None:
    (sandboxes.folder / "work").mkdir()
    mounts = [Mount(sandboxes.folder / "work", "/app/out/data", read_only=False)]
    _make(sandboxes, "open('/app/out/data/x', 'w').write('x')\nopen('/app/out/y', 'w').write('y')", mounts=mounts)
    folder = _collect(sandboxes, "/app/out")
    assert folder
    assert {str(path.relative_to(folder)) for path in folder.rglob("*")} == {"data", "data/x", "y"}


def test_links_lead_where_they_led_inside(sandboxes: Sandboxes) -> None:
    _make(
        sandboxes,
        """
os.makedirs('/app/out/versions/3')
open('/app/out/versions/3/model', 'w').write('three')
os.symlink('versions/3', '/app/out/latest')
os.symlink('/app/out/versions/3/model', '/app/out/model')
os.symlink('/app/out', '/app/elsewhere')
os.symlink('..', '/app/out/versions/up')
""",
    )
    folder = _collect(sandboxes, "/app/elsewhere")
    assert folder
    assert (folder / "latest" / "model").read_text() == (folder / "model").read_text() == "three"
    assert not any(path.is_symlink() for path in folder.rglob("*"))


def test_no_link_leads_to_the_machine(sandboxes: Sandboxes) -> None:
    secret = sandboxes.folder / "secret"
    secret.write_text("the machine's own")
    _make(
        sandboxes,
        f"""
os.makedirs('/app/out')
os.symlink({str(secret)!r}, '/app/out/absolute')
os.symlink('../' * 30 + {str(secret)!r}[1:], '/app/out/relative')
os.symlink('/etc/shadow', '/app/out/shadow')
os.symlink('/', '/app/out/root')
os.symlink('loop', '/app/out/loop')
os.symlink({str(sandboxes.folder)!r}, '/app/linked')
""",
    )
    folder = _collect(sandboxes, "/app/out")
    assert folder
    assert list(folder.iterdir()) == []
    for path in ("/app/out/absolute", "/app/out/relative", "/app/out/shadow", "/app/out/loop", "/app/linked/secret"):
        assert _collect(sandboxes, path) is None
    assert _collect(sandboxes, f"/app/out/../../../../../..{secret}") is None


def test_dangling_links_are_left_out(sandboxes: Sandboxes) -> None:
    _make(sandboxes, "os.makedirs('/app/out')\nos.symlink('/etc/shadow', '/app/out/x')\nopen('/app/out/y', 'w')")
    folder = _collect(sandboxes, "/app/out")
    assert folder
    assert [path.name for path in folder.iterdir()] == ["y"]


@pytest.mark.parametrize("make", ["os.mkfifo('/app/out/x')", "import socket; socket.socket(1).bind('/app/out/x')"])
def test_what_is_no_file_is_named(sandboxes: Sandboxes, make: str) -> None:
    _make(sandboxes, f"os.makedirs('/app/out')\n{make}")
    with pytest.raises(OSError, match="/app/out/x is neither a file nor a folder"):
        _collect(sandboxes, "/app/out")


def test_nothing_is_fetched_while_it_may_still_change(sandboxes: Sandboxes) -> None:
    program = "import time; print('up', flush=True); time.sleep(600)"
    sandboxes.harbour.runtime.start("job1", sandboxes.spec(program))
    sandboxes.says("job1", "up")
    with pytest.raises(BlockingIOError, match="still runs"):
        _collect(sandboxes, "/app/out")


def test_what_was_made_is_removed_with_its_run(sandboxes: Sandboxes) -> None:
    _make(sandboxes, "os.makedirs('/app/out/locked')\nopen('/app/out/locked/x', 'w')\nos.chmod('/app/out/locked', 0)")
    sandboxes.harbour.runtime.forget("job1")
    until("it is gone", lambda: not (sandboxes.harbour.folder / "job1").exists())


def test_folders_that_show_each_other_do_not_multiply_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "_MOST_ENTRIES", 2000)  # the real number takes a while
    for number in range(20):
        (tmp_path / "root" / "out" / f"folder{number}").mkdir(parents=True)
        for other in range(20):
            (tmp_path / "root" / "out" / f"folder{number}" / f"link{other}").symlink_to(f"../folder{other}")
    with pytest.raises(OSError, match="more than 2000 files and folders"):
        collecting.Inside(tmp_path / "root", []).copy("/out", tmp_path / "taken")
    assert not (tmp_path / "taken").exists()


def test_a_hole_larger_than_the_disk_does_not_fill_it(sandboxes: Sandboxes) -> None:
    _make(sandboxes, "open('/app/out', 'w').truncate(1 << 43)")
    with pytest.raises(OSError, match="MiB of the disk free") as found:
        _collect(sandboxes, "/app/out")
    assert found.value.errno == errno.ENOSPC
    assert not (sandboxes.folder / "collected").exists()
