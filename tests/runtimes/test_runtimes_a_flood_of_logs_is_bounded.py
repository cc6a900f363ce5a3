"""A replica that writes without end costs neither the disk, nor itself."""

import time
from pathlib import Path

from mooring.runtimes.base import Phase
from tests.runtimes.harbour import Harbour, python, server, until

FILE_BYTES = 1 << 20

FLOOD = """
def flood():
    line = b"x" * 99 + b"\\n"
    for n in range(500):
        os.write(2, line * 1000)
    os.write(1, b"all written\\n")
threading.Thread(target=flood, daemon=True).start()
"""


def test_a_flood_of_fifty_megabytes_leaves_two_small_files_and_a_replica_that_answers(harbour: Harbour) -> None:
    harbour.another(log_file_bytes=FILE_BYTES).start("replica1", server(FLOOD))
    harbour.until("replica1", Phase.READY)

    def all_written() -> bool:
        assert harbour.runtime.observe("replica1").phase is Phase.READY
        return any(line.stream == "stdout" for line in harbour.lines("replica1"))

    until("all is written, which no full pipe has stopped", all_written, seconds=60)
    assert used_bytes(harbour) <= 2 * FILE_BYTES
    harbour.runtime.stop("replica1")
    assert harbour.until("replica1", Phase.EXITED).reason == "ended as asked"
    notices = notices_of(harbour)
    left_out = sum(int(notice.split()[0]) for notice in notices)
    assert notices
    assert all(notice.endswith("lines are left out: the replica writes too fast") for notice in notices)
    assert 0 < left_out <= 500_000


def test_the_last_lines_of_a_flood_and_its_reason_are_kept(harbour: Harbour) -> None:
    program = """
import os, sys
for n in range(100):
    os.write(2, b"".join(b"step %d of %d\\n" % (m, n) for m in range(3000)))
sys.exit("the reason")
"""
    harbour.another(log_file_bytes=65_536).start("replica1", python(program))
    assert harbour.until("replica1", Phase.EXITED).reason == "the reason"
    assert harbour.messages("replica1")[-3:] == ["step 2998 of 99", "step 2999 of 99", "the reason"]


def test_after_a_flood_whole_lines_are_logged_again(harbour: Harbour) -> None:
    program = """
import os, time
for n in range(60):
    os.write(1, b"flood flood flood\\n" * 3000)
while True:
    os.write(1, b"calm\\n")
    time.sleep(0.02)
"""
    harbour.another(log_file_bytes=FILE_BYTES).start("replica1", python(program))
    until("it is calm", lambda: harbour.messages("replica1")[-2:] == ["calm", "calm"])
    lines = harbour.lines("replica1")
    assert {line.message for line in lines if line.stream == "stdout"} == {"calm", "flood flood flood"}
    assert any("left out" in line.message for line in lines if line.stream == "mooring")


def test_every_line_is_logged_or_counted(harbour: Harbour) -> None:
    program = """
import os, time
n = 0
while True:
    os.write(1, b"".join(b"%0500d\\n" % m for m in range(n, n + 1000)))
    n += 1000
    time.sleep(0.01)
"""
    harbour.another(log_file_bytes=FILE_BYTES).start("replica1", python(program))
    until("it was too fast many times", lambda: len(notices_of(harbour)) > 2)
    lines = harbour.lines("replica1")
    for before, notice, after in zip(lines, lines[1:], lines[2:], strict=False):
        if notice.stream == "mooring":
            left_out = int(notice.message.split()[0])
            assert int(after.message) == int(before.message) + left_out + 1


def test_a_flood_of_line_ends_does_not_grow_on_its_way(harbour: Harbour) -> None:
    program = "import os\nfor n in range(100): os.write(1, b'\\n' * 65536)\nos.write(1, b'end')"
    harbour.another(log_file_bytes=65_536).start("replica1", python(program))
    harbour.until("replica1", Phase.EXITED)
    assert used_bytes(harbour) <= 2 * 65_536
    assert harbour.messages("replica1")[-1] == "end"


def test_a_flood_without_line_ends_needs_no_memory(harbour: Harbour) -> None:
    endless = (
        "import os, time\nfor n in range(500): os.write(1, b'x' * 65536)\nos.write(2, b'done\\n')\ntime.sleep(600)"
    )
    harbour.another(log_file_bytes=65_536).start("replica1", python(endless))
    until("all is written", lambda: "done" in harbour.messages("replica1"))
    assert private_bytes(harbour.state("replica1").shim.pid) < 8 << 20


def test_an_idle_shim_needs_little_memory_and_no_processor(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", server())
    harbour.until("replica1", Phase.READY)
    shim = harbour.state("replica1").shim.pid
    assert private_bytes(shim) < 5 << 20
    until("it sleeps for more than a second", lambda: not wakes_up(shim, seconds=1.2))


def notices_of(harbour: Harbour) -> list[str]:
    """What the shim itself has written into the log."""
    return [line.message for line in harbour.lines("replica1") if line.stream == "mooring"]


def used_bytes(harbour: Harbour) -> int:
    """The size of all logs."""
    return sum(path.stat().st_size for path in (harbour.folder / ".logs").iterdir())


def private_bytes(pid: int) -> int:
    """Memory that would be free again without this process."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in rollup if line.startswith(("Private_Clean", "Private_Dirty")))


def wakes_up(pid: int, *, seconds: float) -> bool:
    """Whether it runs within this time."""
    before, deadline = voluntary_switches(pid), time.monotonic() + seconds
    while (same := voluntary_switches(pid) == before) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not same


def voluntary_switches(pid: int) -> int:
    """How often it has woken up."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])
