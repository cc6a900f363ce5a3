"""What a replica writes can be read, with times, while it runs and afterwards."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from mooring.runtimes.base import LogLine, Phase
from tests.runtimes.harbour import Harbour, python, until


def test_lines_carry_time_and_stream(harbour: Harbour) -> None:
    before = datetime.now(UTC)
    harbour.runtime.start("replica1", python("import sys; print('out'); print('err', file=sys.stderr)"))
    harbour.until("replica1", Phase.EXITED)
    lines = harbour.lines("replica1")
    assert {(line.stream, line.message) for line in lines} == {("stdout", "out"), ("stderr", "err")}
    assert all(before <= line.timestamp <= datetime.now(UTC) for line in lines)


def test_they_can_be_read_while_it_runs(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", python("import time; print('now'); time.sleep(600)"))
    until("the line is there", lambda: harbour.messages("replica1") == ["now"])


def test_they_outlive_the_replica_until_they_are_forgotten(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", python("print('last words')"))
    harbour.until("replica1", Phase.EXITED)
    harbour.runtime.forget("replica1")
    assert harbour.runtime.observe("replica1").phase is Phase.ABSENT
    assert harbour.another().replicas() == []
    assert harbour.messages("replica1") == ["last words"]
    harbour.runtime.forget_logs("replica1")
    assert harbour.messages("replica1") == []
    harbour.runtime.forget_logs("replica1")


def test_what_was_never_written_is_empty(harbour: Harbour) -> None:
    assert harbour.lines("replica1") == []


def test_a_last_line_without_an_end_is_kept(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", python("import sys; sys.stdout.write('first\\r\\n\\nno end')"))
    harbour.until("replica1", Phase.EXITED)
    assert harbour.messages("replica1") == ["first", "", "no end"]


def test_a_long_line_is_split_between_characters(harbour: Harbour) -> None:
    text = "a" + "ü€😀" * 10_000
    program = "import sys; sys.stdout.reconfigure(encoding='utf8'); print('a' + 'ü€😀' * 10_000); print('next')"
    harbour.runtime.start("replica1", python(program))
    harbour.until("replica1", Phase.EXITED)
    *parts, following = harbour.messages("replica1")
    assert ("".join(parts), following) == (text, "next")
    assert all(len(part.encode()) <= 16 * 1024 for part in parts)


def test_bytes_that_are_no_text_do_no_harm(harbour: Harbour) -> None:
    program = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 300 + b'\\nafter\\n')"
    harbour.runtime.start("replica1", python(program))
    assert harbour.until("replica1", Phase.EXITED).exit_code == 0
    messages = harbour.messages("replica1")
    assert messages[-1] == "after"
    assert any("\ufffd" in message for message in messages)


def test_a_window_of_time_holds_both_its_ends(harbour: Harbour) -> None:
    times = write_log(harbour, "replica1", [range(0, 500), range(500, 1000)])
    window = harbour.runtime.logs("replica1", start=times[480], end=times[520])
    assert [line.message for line in window] == [f"line {n}" for n in range(480, 521)]
    assert [line.timestamp for line in harbour.lines("replica1")] == times
    assert list(harbour.runtime.logs("replica1", start=times[7], end=times[6])) == []


def test_a_window_may_be_given_in_any_time_zone(harbour: Harbour) -> None:
    times = write_log(harbour, "replica1", [range(10)])
    local = times[3].astimezone(datetime.strptime("+0530", "%z").tzinfo)
    found = list(harbour.runtime.logs("replica1", start=local, end=local))
    assert found == [LogLine(times[3], "stdout", "line 3")]


def test_newest_first_is_the_same_from_the_other_end(harbour: Harbour) -> None:
    write_log(harbour, "replica1", [range(0, 3000), range(3000, 9000)])
    newest_first = harbour.lines("replica1", newest_first=True)
    assert len(newest_first) == 9000
    assert newest_first == list(reversed(harbour.lines("replica1")))


def test_half_written_and_broken_lines_are_passed_over(harbour: Harbour) -> None:
    write_log(harbour, "replica1", [range(3)])
    with log_of(harbour, "replica1").open("ab") as log:
        log.write(b"\0\0\0\n2026-13-99T\n\n2026-01-01T00:00:00.000000Z\n2026-01-01T00:00:03.000000Z stdout F lin")
    assert harbour.messages("replica1") == ["line 0", "line 1", "line 2"]
    newest_first = harbour.lines("replica1", newest_first=True)
    assert [line.message for line in newest_first] == ["line 2", "line 1", "line 0"]


def test_a_clock_that_is_set_back_loses_no_line(harbour: Harbour) -> None:
    moment = datetime(2026, 1, 1, 12, tzinfo=UTC)
    write_lines(harbour, "replica1", [moment, moment - timedelta(hours=1), moment])
    found = harbour.runtime.logs("replica1", start=moment, end=moment)
    assert [line.message for line in found] == ["line 0", "line 2"]


def test_a_rotated_log_has_no_gap_between_its_files(harbour: Harbour) -> None:
    runtime = harbour.another(log_file_bytes=65_536)
    runtime.start("replica1", python("for n in range(1500): print(f'line {n:06}')"))
    harbour.until("replica1", Phase.EXITED)
    numbers = [int(message.removeprefix("line ")) for message in harbour.messages("replica1")]
    assert numbers[-1] == 1499
    assert numbers
    assert all(second == first + 1 for first, second in pairwise(numbers))
    sizes = [path.stat().st_size for path in log_of(harbour, "replica1").parent.iterdir()]
    assert len(sizes) == 2
    assert max(sizes) <= 65_536


def log_of(harbour: Harbour, replica_id: str) -> Path:
    """Where its log lies."""
    return harbour.folder / ".logs" / f"{replica_id}.log"


def write_log(harbour: Harbour, replica_id: str, files: list[range]) -> list[datetime]:
    """A log of numbered lines, a second apart; its older files first. Returns their times."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for age, numbers in enumerate(reversed(files)):
        moments = [start + timedelta(seconds=n, microseconds=n) for n in numbers]
        path = write_lines(harbour, replica_id, moments, first=numbers[0])
        path.rename(f"{path}.{age}")
    path.with_name(f"{path.name}.0").rename(path)
    return [start + timedelta(seconds=n, microseconds=n) for numbers in files for n in numbers]


def write_lines(harbour: Harbour, replica_id: str, moments: list[datetime], *, first: int = 0) -> Path:
    """One log file of lines at these moments."""
    path = log_of(harbour, replica_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (f"{at:%Y-%m-%dT%H:%M:%S.%fZ} stdout F line {first + n}\n" for n, at in enumerate(moments))
    path.write_text("".join(lines))
    return path
