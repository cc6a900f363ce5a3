"""Resource groups take turns: the one that holds least comes first, and its oldest execution, begun ones before."""

from datetime import UTC, datetime, timedelta

import pytest

from mooring.domain.job_turns import WaitingJob, in_turn

_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _job(text: str) -> WaitingJob:
    """`b3` is group b's, asked for in minute 3; `b3+` has begun, `b3?` is in trouble, `b3*4` wants 4 processors."""
    name, _, cpus = text.partition("*")
    since = _NOON + timedelta(minutes=int(name[1:].rstrip("+?")))
    return WaitingJob(text, text, name[0], int(cpus or 1), since, name.endswith("+"), name.endswith("?"))


@pytest.mark.parametrize(
    ("waiting", "held", "expected"),
    [
        ("", {"a": 2}, ""),
        ("a1 a2 a3", {}, "a1 a2 a3"),
        ("a3 a1 a2", {}, "a1 a2 a3"),
        ("a1 b2 a3 b4", {}, "a1 b2 a3 b4"),
        ("a1 a2 a3 b4", {}, "a1 b4 a2 a3"),
        ("a1 a2 b4", {"a": 1}, "b4 a1 a2"),
        ("a1 b4 b5 b6", {"a": 2}, "b4 b5 a1 b6"),
        ("a1 a2 b3 c4", {"b": 1}, "a1 c4 a2 b3"),
        ("a1*4 a2 b3 b4 b5", {}, "a1*4 b3 b4 b5 a2"),
        ("a1 b2", {"a": 3, "b": 1, "gone": 7}, "b2 a1"),
        ("a1 a2+ a3", {}, "a2+ a1 a3"),
        ("a1 a2+ b3", {"a": 1}, "b3 a2+ a1"),
        ("b1 a2+", {}, "b1 a2+"),
        ("a1? a2? a3 b4", {}, "a1? a2? a3 b4"),
    ],
)
def test_groups_take_turns(waiting: str, held: dict[str, int], expected: str) -> None:
    assert [job.id for job in in_turn([_job(text) for text in waiting.split()], held)] == expected.split()


def test_what_nothing_tells_apart_stays_in_order() -> None:
    steps = [WaitingJob(name, "e", "a", 1, _NOON) for name in ("x", "c", "m")]
    assert list(in_turn(steps, {})) == steps


def test_a_group_with_ten_thousand_jobs_makes_nobody_wait() -> None:
    many = [WaitingJob(f"a{number}", "e", "a", 1, _NOON) for number in range(10_000)]
    late = WaitingJob("b", "f", "b", 1, _NOON + timedelta(days=1))
    turns = in_turn([*many, late], {"a": 1})
    assert next(turns) == late
