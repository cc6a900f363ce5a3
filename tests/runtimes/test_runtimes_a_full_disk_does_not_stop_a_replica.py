"""The disk may fill up while a replica runs: it goes on, and its end is still recorded."""

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mooring.runtimes.base import Phase
from mooring.runtimes.process.records import Ending
from tests.runtimes.harbour import Harbour, get, server, until

TALKATIVE = """
said = 0
def talk():
    global said
    while True:
        print("talk " * 20, flush=True)
        said += 1
        time.sleep(0.005)
def answer(path):
    return 200, str(said).encode()
threading.Thread(target=talk, daemon=True).start()
"""
LINES_OF_A_PAGE = 30
"""What the last page of the log may still take on a full disk."""


@pytest.fixture
def small_disk(harbour: Harbour) -> Iterator[Path]:
    """The replicas' folder lies on a disk of 1 MiB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system to fill it")
    harbour.folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(harbour.folder)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield harbour.folder
    finally:
        harbour.close()
        subprocess.run(["umount", "--lazy", str(harbour.folder)], check=True)


def test_it_speaks_and_answers_on_and_its_end_is_recorded(harbour: Harbour, small_disk: Path) -> None:
    harbour.another(log_file_bytes=256 << 10).start("replica1", server(TALKATIVE))
    harbour.until("replica1", Phase.READY)
    fill(small_disk)
    wait_for_loss(harbour)
    assert harbour.runtime.observe("replica1").phase is Phase.READY
    with pytest.raises(OSError, match="No space left"):
        harbour.runtime.start("replica2", server())
    with pytest.raises(OSError, match="No space left"):
        (small_disk / "another").write_bytes(b"x")
    harbour.runtime.stop("replica1")
    assert harbour.until("replica1", Phase.EXITED).reason == "ended as asked"
    assert Ending.read(small_disk / "replica1") is not None


def test_with_space_again_it_logs_again_and_says_what_is_missing(harbour: Harbour, small_disk: Path) -> None:
    harbour.another(log_file_bytes=256 << 10).start("replica1", server(TALKATIVE))
    harbour.until("replica1", Phase.READY)
    ballast = fill(small_disk)
    wait_for_loss(harbour)
    assert {line.stream for line in harbour.lines("replica1")} == {"stdout"}
    ballast.unlink()
    until("it logs again", lambda: {line.stream for line in harbour.lines("replica1")} == {"mooring", "stdout"})
    notices = [line.message for line in harbour.lines("replica1") if line.stream == "mooring"]
    assert all(re.fullmatch(r"\d+ bytes of the log are lost: they could not be written", one) for one in notices)
    assert harbour.runtime.observe("replica1").phase is Phase.READY


def test_a_start_on_a_full_disk_fails_with_the_reason_and_can_be_repeated(harbour: Harbour, small_disk: Path) -> None:
    ballast = fill(small_disk)
    with pytest.raises(OSError, match="No space left on device"):
        harbour.runtime.start("replica1", server())
    assert harbour.runtime.observe("replica1").phase is Phase.ABSENT
    ballast.unlink()
    harbour.runtime.start("replica1", server())
    harbour.until("replica1", Phase.READY)


def fill(disk: Path, ballast: Path | None = None) -> Path:
    """A file that takes all space that is left."""
    ballast = ballast or disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    return ballast


def wait_for_loss(harbour: Harbour) -> None:
    """Until the replica has said more than the full disk can have taken."""
    path = harbour.socket("replica1")
    before = int(get(path, "/"))
    until("it speaks on", lambda: int(get(path, "/")) > before + 3 * LINES_OF_A_PAGE)
