"""`start` may be called by anybody, at any time and by many at once."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from mooring.runtimes.base import Phase, ReplicaSpec
from mooring.runtimes.process import layout, lock
from mooring.runtimes.process.records import Memo
from tests.runtimes.harbour import Harbour, python, runs, server, until


def test_however_many_start_it_one_runs(harbour: Harbour) -> None:
    runtimes = [harbour.runtime, harbour.another()]
    with ThreadPoolExecutor(8) as pool:
        starts = [pool.submit(runtimes[n % 2].start, "replica1", server("print('hello')")) for n in range(8)]
        for start in starts:
            start.result()
    harbour.until("replica1", Phase.READY)
    harbour.runtime.start("replica1", server())
    assert harbour.messages("replica1") == ["hello"]


def test_an_ended_replica_is_not_started_again(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", python("print('once')"))
    harbour.until("replica1", Phase.EXITED)
    harbour.runtime.start("replica1", python("print('twice')"))
    assert harbour.runtime.observe("replica1").phase is Phase.EXITED
    assert harbour.messages("replica1") == ["once"]


def test_a_start_that_was_cut_short_is_made_again(harbour: Harbour) -> None:
    folder = harbour.folder / "replica1"
    folder.mkdir(parents=True)
    Memo("/old").write(folder)
    assert harbour.runtime.observe("replica1").phase is Phase.ABSENT
    harbour.runtime.start("replica1", server())
    harbour.until("replica1", Phase.READY)


def test_somebody_elses_start_is_waited_for(harbour: Harbour) -> None:
    folder = harbour.folder / "replica1"
    folder.mkdir(parents=True)
    held = lock.take(folder / layout.LOCK)
    assert held is not None
    try:
        harbour.runtime.start("replica1", server())
        assert harbour.runtime.observe("replica1").phase is Phase.STARTING
        assert not (folder / layout.STATE).exists()
    finally:
        os.close(held)
    assert harbour.runtime.observe("replica1").phase is Phase.ABSENT


def test_a_program_that_is_not_there_is_a_replica_that_ended(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", ReplicaSpec(argv=["/no/such/program"]))
    ended = harbour.until("replica1", Phase.EXITED)
    assert ended.exit_code == 127
    assert ended.reason == "cannot run '/no/such/program': No such file or directory"


def test_a_program_is_found_on_the_path_of_the_spec(harbour: Harbour) -> None:
    programs = harbour.folder.parent / "programs"
    programs.mkdir()
    (programs / "hello").write_text("#!/bin/sh\necho found\n")
    (programs / "hello").chmod(0o700)
    harbour.runtime.start("replica1", ReplicaSpec(argv=["hello"], env={"PATH": f"{programs}:/usr/bin:/bin"}))
    assert harbour.until("replica1", Phase.EXITED).exit_code == 0
    assert harbour.messages("replica1") == ["found"]


def test_a_start_that_cannot_be_tried_says_why_and_leaves_nothing_running(harbour: Harbour) -> None:
    folder = harbour.folder / "replica1"
    (folder / f".{layout.STATE}").mkdir(parents=True)  # the shim cannot write its record
    before = set(children())
    with pytest.raises(OSError, match=r"replica1 could not start it: .*directory"):
        harbour.runtime.start("replica1", server())
    until("nothing runs", lambda: set(children()) <= before)
    assert not lock.is_held(folder / layout.LOCK)
    assert harbour.runtime.observe("replica1").phase is Phase.ABSENT


def test_a_socket_that_was_left_behind_is_replaced(harbour: Harbour) -> None:
    path = harbour.socket("replica1")
    path.parent.mkdir(parents=True)
    path.touch()
    harbour.runtime.start("replica1", server())
    harbour.until("replica1", Phase.READY)


@pytest.mark.parametrize(
    "replica_id",
    ["", "abc", "../../etc", "a/b/c/d", "Abcd", "1abc", "abcd\n", "abcd\0", ".logs", "a" * 65, "äbcd", "ab-cd"],
)
def test_an_id_never_leads_out_of_the_folder(harbour: Harbour, replica_id: str) -> None:
    runtime = harbour.runtime
    for call in (runtime.observe, runtime.stop, runtime.forget, runtime.endpoint, runtime.forget_logs):
        with pytest.raises(ValueError, match="is no replica id"):
            call(replica_id)
    with pytest.raises(ValueError, match="is no replica id"):
        runtime.start(replica_id, server())


def test_the_longest_id_still_has_a_socket_that_the_kernel_takes(harbour: Harbour) -> None:
    first, second = ("a" * 63 + last for last in "xy")
    assert harbour.socket(first) != harbour.socket(second)
    assert len(harbour.socket(first).name) <= 40
    harbour.runtime.start(first, server())
    harbour.until(first, Phase.READY)


@pytest.mark.parametrize("path", ["", "ready", "/a b", "/a\r\nX: y", "http://elsewhere/"])
def test_a_ready_path_cannot_smuggle_anything(harbour: Harbour, path: str) -> None:
    with pytest.raises(ValueError, match="is no path of a URL"):
        harbour.runtime.start("replica1", server(ready_path=path))
    assert harbour.runtime.replicas() == []


def test_a_replica_needs_a_program(harbour: Harbour) -> None:
    with pytest.raises(ValueError, match="argv is empty"):
        harbour.runtime.start("replica1", ReplicaSpec(argv=[]))


def children() -> list[int]:
    """The processes that this test has started and that run."""
    listing = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
    )
    return [pid for pid in map(int, listing.stdout.split()) if runs(pid)]
