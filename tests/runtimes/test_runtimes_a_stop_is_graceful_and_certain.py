"""Asked to end, a replica finishes what it does; if it does not end, it is ended."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

from mooring.processes import send
from mooring.runtimes.base import Phase
from mooring.runtimes.process import layout, lock
from mooring.runtimes.process.launcher import launch
from mooring.runtimes.process.shim.order import Order
from tests.runtimes.harbour import WAIT_SECONDS, Harbour, get, python, runs, server, until

SLOW = """
def answer(path):
    if path == "/slow":
        print("slow request", flush=True)
        while not os.path.exists("finish"):
            time.sleep(0.01)
    return 200, b"done"
"""

DEAF = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"


def test_a_running_request_is_answered_first(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", server(SLOW))
    harbour.until("replica1", Phase.READY)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(get, harbour.socket("replica1"), "/slow")
        until("the request has arrived", lambda: "slow request" in harbour.messages("replica1"))
        harbour.runtime.stop("replica1")
        assert harbour.runtime.observe("replica1").phase is Phase.STOPPING
        harbour.runtime.stop("replica1")  # once more changes nothing
        (harbour.folder / "replica1" / "home" / "finish").touch()
        assert answer.result(20) == b"done"
    ended = harbour.until("replica1", Phase.EXITED)
    assert (ended.reason, ended.exit_code, ended.asked) == ("ended as asked", 0, True)


def test_who_does_not_end_is_killed_after_the_grace(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", python(DEAF, stop_grace_seconds=0.3))
    until("it runs", lambda: harbour.messages("replica1"))
    harbour.runtime.stop("replica1")
    assert harbour.runtime.observe("replica1").phase is Phase.STOPPING
    ended = harbour.until("replica1", Phase.EXITED)
    assert ended.reason == "did not end within 0.3 s of being asked to, and was killed"
    assert ended.exit_code == -signal.SIGKILL


def test_a_wish_to_stop_survives_the_death_of_who_had_it(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", server())
    harbour.until("replica1", Phase.READY)
    (harbour.folder / "replica1" / layout.STOP).touch()  # died right before it sent the signal
    assert harbour.another().observe("replica1").phase is Phase.STOPPING
    assert harbour.until("replica1", Phase.EXITED).reason == "ended as asked"


def test_a_wish_to_stop_that_comes_before_the_start_is_obeyed(harbour: Harbour) -> None:
    (harbour.folder / "replica1").mkdir(parents=True)
    harbour.runtime.stop("replica1")
    harbour.runtime.start("replica1", python("print('runs')"))
    ended = harbour.runtime.observe("replica1")
    assert (ended.phase, ended.reason) == (Phase.EXITED, "stopped before it was started")
    assert harbour.messages("replica1") == []


def test_a_wish_to_stop_that_comes_during_the_start_is_obeyed(harbour: Harbour) -> None:
    folder = harbour.folder / "replica1"
    for name in (layout.HOME, layout.TEMPORARY):
        (folder / name).mkdir(parents=True)
    (folder / layout.STOP).touch()  # after `start` has looked for it, before its shim has left a record
    held = lock.take(folder / layout.LOCK)
    assert held is not None
    order = Order(
        argv=["sleep", "600"],
        env={"PATH": "/usr/bin:/bin"},
        log=str(harbour.folder / "log"),
        log_file_bytes=65_536,
        lock=held,
        memory_bytes=None,
        open_files=100,
        stop_grace_seconds=30,
    )
    with launch(folder, order, timeout_seconds=30) as shim:
        os.close(held)
        try:
            assert shim.wait(WAIT_SECONDS) == 0
        finally:
            shim.kill()
    assert harbour.runtime.observe("replica1").reason == "ended as asked"


def test_its_whole_family_ends(harbour: Harbour) -> None:
    family = """
import os, subprocess, sys, time
deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print(0, flush=True); time.sleep(600)"
member = subprocess.Popen([sys.executable, "-IS", "-c", deaf], stdout=subprocess.PIPE)
member.stdout.readline()
read, write = os.pipe()
if os.fork() == 0:
    escaped = subprocess.Popen([sys.executable, "-IS", "-c", deaf], start_new_session=True, env={})
    os.write(write, str(escaped.pid).encode())
    os._exit(0)
os.wait()
print(member.pid, os.read(read, 20).decode(), flush=True)
time.sleep(600)
"""
    harbour.runtime.start("replica1", python(family))
    until("the family is there", lambda: len(harbour.messages("replica1")) > 1)
    pids = [int(pid) for line in harbour.messages("replica1") if " " in line for pid in line.split()]
    assert len(pids) == 2
    harbour.runtime.stop("replica1")
    harbour.until("replica1", Phase.EXITED)
    assert not [pid for pid in pids if runs(pid)]


def test_a_frozen_replica_hears_it_too(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", server())
    harbour.until("replica1", Phase.READY)
    send(harbour.state("replica1").program, signal.SIGSTOP)
    harbour.runtime.stop("replica1")
    assert harbour.until("replica1", Phase.EXITED).reason == "ended as asked"


def test_stopping_what_is_absent_or_has_ended_does_nothing(harbour: Harbour) -> None:
    harbour.runtime.stop("replica1")
    assert harbour.runtime.observe("replica1").phase is Phase.ABSENT
    harbour.runtime.start("replica1", python("pass"))
    before = harbour.until("replica1", Phase.EXITED)
    harbour.runtime.stop("replica1")
    assert harbour.runtime.observe("replica1") == before
