"""Whether what has failed is tried again, and when."""

from datetime import datetime, timedelta

from mooring.templates.workflow_retries import RetryStrategy
from mooring.workflows.outcomes import Outcome, Phase


def next_try(strategy: RetryStrategy | None, tries: int, last: Outcome, now: datetime) -> datetime | None:
    """The earliest moment of the next try after so many; None when there is none.

    `last` is the outcome of the last try, its `started_at` that of the first.
    """
    if strategy is None or tries > strategy.limit or not strategy.retries(error=last.phase is Phase.ERROR):
        return None
    ended = last.ended_at or now
    moment = ended + timedelta(seconds=strategy.wait(tries))
    if strategy.max_duration is None:
        return moment
    latest = (last.started_at or ended) + timedelta(seconds=strategy.max_duration)
    return None if moment > latest else moment
