"""When a schedule runs its configuration: five POSIX fields, in UTC."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from mooring.domain.schedules import check, next_run


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        ("* * * * *", "2026-01-01T12:00:00", "2026-01-01T12:01:00"),
        ("* * * * *", "2026-01-01T11:59:59.999999", "2026-01-01T12:00:00"),
        ("*/15 * * * *", "2026-01-01T12:14:59", "2026-01-01T12:15:00"),
        ("30 3 * * 1", "2026-01-01T00:00:00", "2026-01-05T03:30:00"),
        ("30 3 * * MON", "2026-01-01T00:00:00", "2026-01-05T03:30:00"),
        ("0 0 * * 7", "2026-01-01T00:00:00", "2026-01-04T00:00:00"),
        ("0 0 * * 0", "2026-01-01T00:00:00", "2026-01-04T00:00:00"),
        ("0 0 31 * *", "2026-02-01T00:00:00", "2026-03-31T00:00:00"),
        ("59 23 31 12 *", "2026-12-31T23:59:00", "2027-12-31T23:59:00"),
        ("0 0 13 * 5", "2026-01-01T00:00:00", "2026-01-02T00:00:00"),  # both days given: either will do
    ],
)
def test_the_first_moment_after(cron: str, after: str, expected: str) -> None:
    assert next_run(cron, at(after)) == at(expected)


@pytest.mark.parametrize(
    ("after", "expected"),
    [("2026-01-01", 2028), ("2028-02-29", 2032), ("2096-03-01", 2104), ("1896-03-01", 1904)],
)
def test_leap_days_come_in_leap_years(after: str, expected: int) -> None:
    assert next_run("0 0 29 2 *", at(after)) == datetime(expected, 2, 29, tzinfo=UTC)


def test_no_hour_is_left_out_or_doubled_when_clocks_change_elsewhere() -> None:
    moments = [at("2026-03-28T22:00:00")]
    while len(moments) < 9:
        found = next_run("0 * * * *", moments[-1])
        assert found
        moments.append(found)
    assert {later - earlier for earlier, later in pairwise(moments)} == {timedelta(hours=1)}
    berlin = timezone(timedelta(hours=2))
    assert next_run("0 12 * * *", datetime(2026, 7, 1, 13, tzinfo=berlin)) == at("2026-07-01T12:00:00")


def test_nothing_before_the_start_and_nothing_after_the_end() -> None:
    hourly, now = "0 * * * *", at("2026-01-01T00:30:00")
    assert next_run(hourly, now, start=at("2026-01-02T06:00:00")) == at("2026-01-02T06:00:00")
    assert next_run(hourly, now, start=at("2025-01-01T00:00:00")) == at("2026-01-01T01:00:00")
    assert next_run(hourly, now, end=at("2026-01-01T01:00:00")) == at("2026-01-01T01:00:00")
    assert next_run(hourly, now, end=at("2026-01-01T00:59:59")) is None
    assert next_run(hourly, now, start=at("2026-01-02T06:00:01"), end=at("2026-01-02T06:59:59")) is None


@pytest.mark.parametrize("moment", [datetime.min, datetime.max])
def test_the_ends_of_the_calendar_are_survived(moment: datetime) -> None:
    edge = moment.replace(tzinfo=UTC, microsecond=0)
    assert next_run("0 0 1 1 *", at("2026-01-01T00:00:00"), start=edge) in (None, at("2027-01-01T00:00:00"))
    assert next_run("0 0 * * *", at("9999-12-31T12:00:00")) is None


def test_a_sixth_field_of_seconds_is_ignored() -> None:
    check("0 30 3 * * 1", at("2026-01-01T00:00:00"))
    assert next_run("0 30 3 * * 1", at("2026-01-01T00:00:00")) == at("2026-01-05T03:30:00")
    assert next_run("*/10 * * * * *", at("2026-01-01T00:00:30")) == at("2026-01-01T00:01:00")
    with pytest.raises(ValueError, match="second field"):
        check("77 30 3 * * 1", at("2026-01-01T00:00:00"))


@pytest.mark.parametrize(
    ("cron", "problem"),
    [
        ("", "five fields"),
        ("* * * *", "five fields"),
        ("* * * * * * *", "five fields"),
        ("@daily", "five fields"),
        ("60 * * * *", "minute field"),
        ("* 24 * * *", "hour field"),
        ("* * 0 * *", "day-of-month field"),
        ("* * * 13 *", "month field"),
        ("* * * * 8", "day-of-week field"),
        ("*/0 * * * *", "minute field"),
        ("5-1 * * * *", "minute field"),
        ("1,,2 * * * *", "minute field"),
        ("\0 * * * *", "minute field"),
        ("٣ * * * *", "minute field"),
        (f"{'9' * 200} * * * *", "minute field"),
        ("0 0 30 2 *", "day-of-month field"),
        ("0 0 31 4,6 *", "day-of-month field"),
        ("* * */20 * 1L", "never fires"),
    ],
)
def test_what_is_no_schedule_is_refused_in_words(cron: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        check(cron, at("2026-01-01T00:00:00"))
