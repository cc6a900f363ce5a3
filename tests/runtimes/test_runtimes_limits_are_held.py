"""One replica cannot take what the others need."""

import json
import signal

from mooring.runtimes.base import Limits, Phase
from tests.runtimes.harbour import Harbour, python, runs, server, until

MIB = 1 << 20


def test_too_much_memory_ends_it_with_the_numbers(harbour: Harbour) -> None:
    hungry = "import time; kept = bytearray(b'x') * (120 << 20); time.sleep(600)"
    harbour.runtime.start("replica1", python(hungry, limits=Limits(memory_bytes=100 * MIB)))
    ended = harbour.until("replica1", Phase.EXITED)
    assert ended.exit_code == -signal.SIGKILL
    used = int(ended.reason.split()[1])
    assert ended.reason == f"used {used} MiB of memory, its limit is 100 MiB"
    assert 120 <= used < 160


def test_the_memory_of_its_descendants_counts(harbour: Harbour) -> None:
    family = """
import subprocess, sys, time
hungry = "import time; kept = bytearray(b'x') * (70 << 20); time.sleep(600)"
children = [subprocess.Popen([sys.executable, "-IS", "-c", hungry], start_new_session=True) for _ in "ab"]
print(*(child.pid for child in children))
time.sleep(600)
"""
    harbour.runtime.start("replica1", python(family, limits=Limits(memory_bytes=120 * MIB)))
    ended = harbour.until("replica1", Phase.EXITED)
    assert ended.reason.endswith("its limit is 120 MiB")
    assert not [pid for pid in map(int, harbour.messages("replica1")[0].split()) if runs(pid)]


def test_memory_that_its_processes_share_counts_once(harbour: Harbour) -> None:
    # 80 MiB, shared by four: as resident memory of each it would be 320.
    sharing = """
kept = bytearray(b"x") * (80 << 20)
forked = [pid for pid in (os.fork() for _ in range(2))]
if 0 in forked:
    print("forked", flush=True)
    time.sleep(600)
"""
    harbour.runtime.start("replica1", server(sharing, limits=Limits(memory_bytes=150 * MIB)))
    until("all are there", lambda: len(harbour.messages("replica1")) == 3)
    shim = harbour.state("replica1").shim.pid
    checks = 8  # of twice a second
    before = switches(shim)
    until("its memory was looked at", lambda: switches(shim) >= before + checks)
    assert harbour.runtime.observe("replica1").phase is Phase.READY


def test_files_in_memory_count_though_nothing_shows_them(harbour: Harbour) -> None:
    hungry = """
import os, time
file = os.memfd_create("kept")
for _ in range(150):
    os.write(file, b"x" * (1 << 20))
time.sleep(600)
"""
    harbour.runtime.start("replica1", python(hungry, limits=Limits(memory_bytes=100 * MIB)))
    ended = harbour.until("replica1", Phase.EXITED)
    assert ended.reason.endswith("MiB of memory, its limit is 100 MiB")
    assert int(ended.reason.split()[1]) > 100


def test_files_in_memory_that_are_mapped_or_shared_count_once(harbour: Harbour) -> None:
    # 80 MiB, open and mapped in two processes.
    sharing = """
import mmap
file = os.memfd_create("kept")
os.truncate(file, 80 << 20)
kept = mmap.mmap(file, 80 << 20)
kept.write(b"x" * (80 << 20))
if os.fork() == 0:
    kept[:: 4096]
    print("forked", flush=True)
    time.sleep(600)
"""
    harbour.runtime.start("replica1", server(sharing, limits=Limits(memory_bytes=150 * MIB)))
    until("both are there", lambda: harbour.messages("replica1") == ["forked"])
    shim = harbour.state("replica1").shim.pid
    before = switches(shim)
    until("its memory was looked at", lambda: switches(shim) >= before + 8)
    assert harbour.runtime.observe("replica1").phase is Phase.READY


def test_within_its_limit_it_goes_on(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", server(limits=Limits(memory_bytes=200 * MIB)))
    harbour.until("replica1", Phase.READY)
    shim = harbour.state("replica1").shim.pid
    before = switches(shim)
    until("its memory was looked at", lambda: switches(shim) >= before + 4)
    assert harbour.runtime.observe("replica1").phase is Phase.READY


def test_open_files_and_core_files_are_limited(harbour: Harbour) -> None:
    program = """
import json, resource
print(json.dumps([resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_CORE)]))
kept = []
while True:
    kept.append(open("/dev/null"))
"""
    harbour.runtime.start("replica1", python(program, limits=Limits(open_files=100)))
    ended = harbour.until("replica1", Phase.EXITED)
    assert ended.reason == "OSError: [Errno 24] Too many open files: '/dev/null'"
    assert json.loads(harbour.messages("replica1")[0]) == [[100, 100], [0, 0]]


def switches(pid: int) -> int:
    """How often it has woken up."""
    with open(f"/proc/{pid}/status") as status:  # noqa: PTH123 (a file of the kernel)
        return int(status.read().split("\nvoluntary_ctxt_switches:")[1].split()[0])
