"""When an execution schedule runs its configuration: cron expressions, evaluated in UTC.

Five POSIX fields: minute, hour, day of month, month, day of week. When both days are restricted, either may match. A
sixth field in front (seconds, as some tools write them) is checked and then ignored: nothing runs twice in a minute.
"""

from datetime import UTC, datetime, timedelta
from enum import Enum

from cronsim import CronSim, CronSimError

_FIELDS = 5
_A_SECOND = timedelta(seconds=1)
_A_MOMENT = timedelta(minutes=1)
"""A controller may come so late to the last run before a schedule's end."""


class Turn(Enum):
    """What a schedule does at a moment."""

    WAIT = "it is not due yet"
    RUN = "it starts one execution"
    SKIP = "its run was missed, and is too late now"


def check(cron: str, now: datetime) -> None:
    """Raises ValueError, in words, for what is no cron expression and for one that never fires (30 February)."""
    try:
        CronSim(cron, now)  # all of it: also the seconds that are left out below
    except CronSimError as error:
        raise ValueError(_in_words(str(error))) from None
    if next_run(cron, now) is None:
        raise ValueError("never fires: there is no such day within 50 years")


def next_run(cron: str, after: datetime, start: datetime | None = None, end: datetime | None = None) -> datetime | None:
    """The first moment after `after` that is neither before `start` nor after `end`; None when there is none.

    All moments are aware, in UTC. The expression has been checked.
    """
    try:
        base = max(after, start - _A_SECOND) if start else after
        found = next(CronSim(_without_seconds(cron), base.astimezone(UTC)))
    except (StopIteration, OverflowError, CronSimError):
        return None  # not within 50 years; not before the end of the calendar; checked by another version of the rules
    return None if end is not None and found > end else found


def last_run(cron: str, until: datetime) -> datetime | None:
    """The last moment that is not after `until`; None when there is none within 50 years."""
    try:
        # Backwards it finds what lies before a moment, so that moment itself has to be inside.
        return next(CronSim(_without_seconds(cron), until.astimezone(UTC) + _A_SECOND, reverse=True))
    except (StopIteration, OverflowError):
        return None


def turn(cron: str, due: datetime, now: datetime, end: datetime | None, catch_up: timedelta) -> Turn:
    """What a schedule does that was due at `due`.

    However many runs were missed, they count as one: the last of them, which starts if it is no later than
    `catch_up`. What has ended catches nothing up.
    """
    if due > now:
        return Turn.WAIT
    if end is not None and now > end:
        last, patience = due, min(catch_up, _A_MOMENT)
    else:
        last, patience = max(due, last_run(cron, now) or due), catch_up
    return Turn.RUN if now - last <= patience else Turn.SKIP


def next_turn(cron: str, due: datetime, now: datetime, start: datetime | None, end: datetime | None) -> datetime | None:
    """When a schedule is due after it was at `due`: later than that, also when the clock was set back."""
    return next_run(cron, max(due, now), start, end)


def _without_seconds(cron: str) -> str:
    return " ".join(cron.split()[-_FIELDS:])


def _in_words(problem: str) -> str:
    if problem.startswith("Bad "):
        return f"has a wrong {problem.removeprefix('Bad ')} field"
    return "must have five fields: minute, hour, day of month, month, day of week"
