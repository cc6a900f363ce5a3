"""How much memory there is, and what a replica uses of it."""

from mooring.runtimes.base import Phase
from mooring.runtimes.process import memory
from tests.runtimes.harbour import Harbour, server

MIB = 1 << 20


def test_a_replica_uses_what_its_processes_hold(harbour: Harbour) -> None:
    harbour.runtime.start("r0000", server("held = bytes(range(256)) * (100 * 4096)\nserve()"))
    harbour.until("r0000", Phase.READY)
    used = harbour.another().memory_bytes("r0000")
    assert used is not None, "also one that somebody else has started is measured"
    assert 100 * MIB < used < 200 * MIB


def test_what_does_not_run_is_not_measured(harbour: Harbour) -> None:
    assert harbour.another().memory_bytes("r0000") is None
    harbour.runtime.start("r0000", server("raise SystemExit(1)"))
    harbour.until("r0000", Phase.EXITED)
    assert harbour.another().memory_bytes("r0000") is None


def test_the_machine_has_memory_left() -> None:
    free = memory.free_bytes()
    assert free is not None
    assert free > 16 * MIB
