"""What one replica or job writes is bounded: the disk is that of all, and of the store."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mooring.runtimes.base import ContainerSpec, ImageRequest, Mount, Phase
from mooring.runtimes.containers import Program
from mooring.runtimes.process.shim import usage
from mooring.runtimes.process.shim.usage import DiskWatch
from tests.runtimes.harbour import Harbour, python, until

MIB = 1 << 20
WRITE = (
    "import os, time\nwith open({path}, 'wb') as file:\n  for _ in range({mib}): file.write(b'x' * (1 << 20))\n{then}"
)


def write(path: str, mib: int, then: str = "time.sleep(600)") -> str:
    """A program."""
    return WRITE.format(path=path, mib=mib, then=then)


class Machine:
    """Containers that are plain programs."""

    def __init__(self, program: str) -> None:
        self._program = program

    def prepare(self, request: ImageRequest) -> str:
        return request.image

    def program(self, run_id: str, spec: ContainerSpec, folder: Path) -> Program:  # noqa: ARG002
        return Program([sys.executable, "-I", "-S", "-c", self._program], {"PATH": "/usr/bin:/bin"})

    def collect(self, run_id: str, folder: Path, path: str, target: Path) -> bool:  # noqa: ARG002
        return False

    def end(self, run_id: str, folder: Path) -> None:
        """Nothing is left of it."""

    def reason(self, run_id: str, folder: Path, exit_code: int) -> str:  # noqa: ARG002
        return ""

    def gateway_url(self, public_url: str) -> str:
        return public_url


@pytest.fixture
def without_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "_REST_SECONDS", 0.0)
    monkeypatch.setattr(usage, "_FIRST_REST_SECONDS", 0.0)
    monkeypatch.setattr(usage, "_BETWEEN_TURNS_SECONDS", 0.0)


def found(watch: DiskWatch) -> str:
    """What two whole walks come to (more of them when it is quick)."""
    deadline = time.monotonic() + 1
    while not (excess := watch.excess()) and time.monotonic() < deadline:
        continue
    return excess


def test_who_writes_too_much_is_ended_with_the_limit(harbour: Harbour) -> None:
    program = write("os.environ['HOME'] + '/file'", 40)
    harbour.another(disk_bytes=20 * MIB).start("replica1", python(program))
    assert harbour.until("replica1", Phase.EXITED).reason == "used more of the disk than its limit of 20 MiB"


def test_a_file_without_a_name_counts(harbour: Harbour) -> None:
    then = "  os.unlink(file.name)\n  file.flush()\n  time.sleep(600)"
    program = write("os.environ['TMPDIR'] + '/file'", 40, then)
    harbour.another(disk_bytes=20 * MIB).start("replica1", python(program))
    assert harbour.until("replica1", Phase.EXITED).reason == "used more of the disk than its limit of 20 MiB"


def test_what_was_given_counts_only_when_it_is_changed(harbour: Harbour, tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(b"x" * (40 * MIB))
    (tmp_path / "input").chmod(0o666)
    time_given = (tmp_path / "input").stat().st_ctime
    until("it is older", lambda: time.time() > time_given + 0.1)
    program = write(repr(str(tmp_path / "output")), 10, f"time.sleep(2)\n{write(repr(str(tmp_path / 'more')), 15)}")
    harbour.runtime = harbour.another(disk_bytes=20 * MIB, containers=Machine(program))
    began = time.monotonic()
    harbour.runtime.start("job1", ContainerSpec("x", mounts=[Mount(tmp_path, "/data", read_only=False)]))
    assert harbour.until("job1", Phase.EXITED).reason == "used more of the disk than its limit of 20 MiB"
    assert time.monotonic() - began > 2
    assert (tmp_path / "more").exists()


@pytest.mark.usefixtures("without_rest")
def test_links_and_removed_files_and_races_are_measured_right(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * (8 * MIB))
    for number in range(5):
        os.link(tmp_path / "file", tmp_path / f"link{number}")
    (tmp_path / "away").symlink_to("/usr")
    (tmp_path / "nowhere").symlink_to("nothing")
    assert found(DiskWatch(os.getpid(), 10 * MIB, [str(tmp_path), str(tmp_path / "gone")], [], 0)) == ""
    assert found(DiskWatch(os.getpid(), 7 * MIB, [str(tmp_path)], [], 0)) != ""
    assert found(DiskWatch(os.getpid(), 7 * MIB, [], [str(tmp_path / "file")], time.time() + 60)) == ""
    assert found(DiskWatch(os.getpid(), 1 * MIB, [], [str(tmp_path / "file")], 0)) != ""


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    make = "import os\nfor _ in range(600): os.mkdir('d'); os.chdir('d')"
    subprocess.run([sys.executable, "-c", make], cwd=tmp_path, check=True, timeout=30)
    yield tmp_path
    subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True, timeout=30)


@pytest.mark.usefixtures("without_rest")
def test_what_cannot_be_measured_is_said(deep: Path) -> None:
    watch = DiskWatch(os.getpid(), 1 << 40, [str(deep)], [], 0)
    assert found(watch) == "made folders more than 256 deep, which cannot be held to a limit"


def test_many_files_are_measured_a_little_at_a_time(tmp_path: Path) -> None:
    for number in range(20_000):
        (tmp_path / f"{number}").touch()
    watch = DiskWatch(os.getpid(), 1 << 40, [str(tmp_path)], [], 0)
    began = time.thread_time()
    assert watch.excess() == ""
    assert time.thread_time() - began < 0.1
    assert 0 < watch.seconds_to_turn() <= 0.5


def test_a_program_within_its_limit_goes_on(harbour: Harbour) -> None:
    program = write("os.environ['HOME'] + '/file'", 5, "time.sleep(1.5)")
    harbour.another(disk_bytes=20 * MIB).start("replica1", python(program))
    assert harbour.until("replica1", Phase.EXITED).exit_code == 0
