"""What happens to a replica when one of the others is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from mooring.processes import ProcessId, send
from mooring.runtimes.base import Phase
from mooring.runtimes.process import layout
from mooring.runtimes.process.records import Ending
from tests.runtimes.harbour import Harbour, identity, python, runs, server, until

STARTER = """
import sys, time
from pathlib import Path
from mooring.runtimes.base import ReplicaSpec
from mooring.runtimes.process.runtime import ProcessRuntime
folder, sockets, program = sys.argv[1:]
runtime = ProcessRuntime(folder=Path(folder), sockets=Path(sockets))
runtime.start("replica1", ReplicaSpec(argv=[sys.executable, "-c", program, "{socket}"]))
print("started", flush=True)
time.sleep(600)
"""

FAMILY = """
import os, subprocess, sys, time
child = "import time; time.sleep(600)"
plain = subprocess.Popen([sys.executable, "-IS", "-c", child])
escaped = subprocess.Popen([sys.executable, "-IS", "-c", child], start_new_session=True)
nameless = subprocess.Popen([sys.executable, "-IS", "-c", child], env={})
print(plain.pid, escaped.pid, nameless.pid, flush=True)
time.sleep(600)
"""


def test_it_goes_on_when_the_control_plane_is_killed(harbour: Harbour) -> None:
    program = str(server().argv[-2])
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(harbour.folder), str(harbour.sockets), program],
        stdout=subprocess.PIPE,
    )
    with starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"started\n"
        starter.kill()
    assert harbour.until("replica1", Phase.READY).pid == harbour.state("replica1").program.pid
    assert harbour.runtime.replicas() == ["replica1"]
    harbour.runtime.stop("replica1")
    assert harbour.until("replica1", Phase.EXITED).reason == "ended as asked"


def test_it_ends_with_its_shim_and_takes_its_family_along(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", python(FAMILY))
    family = [identity(pid) for pid in family_of(harbour, "replica1")]
    state = harbour.state("replica1")
    send(state.shim, signal.SIGKILL)
    ended = harbour.until("replica1", Phase.EXITED)
    assert ended.reason == "its process is gone (killed, or the machine restarted)"
    assert ended.exit_code is None
    assert not [process for process in (state.program, *family) if runs(process.pid)]


def test_after_a_restart_of_the_machine_it_has_ended_and_nobody_elses_process_is_touched(
    harbour: Harbour,
) -> None:
    # As if the machine had restarted and given the recorded pids to others: same numbers, another boot.
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as bystander:
        try:
            record_of_another_boot(harbour.folder / "replica1", identity(bystander.pid))
            assert harbour.runtime.observe("replica1").phase is Phase.EXITED
            assert bystander.poll() is None
        finally:
            bystander.kill()


def test_a_pid_that_now_belongs_to_another_is_not_killed(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", server())
    state = harbour.state("replica1")
    send(state.shim, signal.SIGKILL)
    until("the program is gone", lambda: not runs(state.program.pid))
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as bystander:
        try:
            record = (harbour.folder / "replica1" / layout.STATE).read_text()
            reused = record.replace(f'"pid": {state.program.pid},', f'"pid": {bystander.pid},')
            (harbour.folder / "replica1" / layout.STATE).write_text(reused)
            assert harbour.runtime.observe("replica1").phase is Phase.EXITED
            assert bystander.poll() is None
        finally:
            bystander.kill()


def test_an_ending_is_remembered(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", server())
    send(harbour.state("replica1").shim, signal.SIGKILL)
    first = harbour.until("replica1", Phase.EXITED)
    assert Ending.read(harbour.folder / "replica1") is not None
    assert harbour.another().observe("replica1") == first


def test_nothing_of_it_is_a_zombie(harbour: Harbour) -> None:
    orphans = """
import os
for _ in range(5):
    if os.fork() == 0:
        if os.fork() == 0:
            os._exit(0)
        os._exit(0)
    os.wait()
"""
    harbour.runtime.start("replica1", server(orphans))
    harbour.until("replica1", Phase.READY)
    shim = harbour.state("replica1").shim.pid
    until("the orphans are reaped", lambda: children_of(shim) == [harbour.state("replica1").program.pid])
    harbour.runtime.stop("replica1")
    harbour.until("replica1", Phase.EXITED)
    harbour.runtime.forget("replica1")
    until("the shim is reaped", lambda: harbour.runtime.replicas() == [] and not Path(f"/proc/{shim}").exists())


def family_of(harbour: Harbour, replica_id: str) -> list[int]:
    """The pids that the replica has printed in its first line."""
    lines = until("the family is there", lambda: harbour.messages(replica_id))
    return [int(pid) for pid in lines[0].split()]


def children_of(pid: int) -> list[int]:
    """Its children, zombies too."""
    listing = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(number) for number in listing.stdout.split()]


def record_of_another_boot(folder: Path, process: ProcessId) -> None:
    """A folder as the machine's last run has left it."""
    folder.mkdir(parents=True)
    identity_text = f'{{"pid": {process.pid}, "started": {process.started}}}'
    record = f'{{"boot": "another", "shim": {identity_text}, "program": {identity_text}}}'
    (folder / layout.STATE).write_text(record)
    os.close(os.open(folder / layout.LOCK, os.O_CREAT | os.O_RDWR))
