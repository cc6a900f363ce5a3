"""When an execution schedule runs its configuration: cron expressions, evaluated in UTC.

Five POSIX fields: minute, hour, day of month, month, day of week. When both days are restricted, either may match. A
sixth field in front (seconds, as some tools write them) is checked and then ignored: nothing runs twice in a minute.
"""

from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError

_FIELDS = 5
_A_SECOND = timedelta(seconds=1)


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
    except (StopIteration, OverflowError):  # not within 50 years; not before the end of the calendar
        return None
    return None if end is not None and found > end else found


def _without_seconds(cron: str) -> str:
    return " ".join(cron.split()[-_FIELDS:])


def _in_words(problem: str) -> str:
    if problem.startswith("Bad "):
        return f"has a wrong {problem.removeprefix('Bad ')} field"
    return "must have five fields: minute, hour, day of month, month, day of week"
