"""A rollout that its owner wants watched: what is asked for, and what has been seen of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

LONGEST_WINDOW = timedelta(days=1)
"""What served before holds its memory for so long."""


@dataclass(frozen=True)
class Rollout:
    """Asked for with a change: what served before serves again if the new revision fails.

    It is watched before its switch and for `window` after it. It fails when it does not get ready, when a replica of
    it dies or falls silent, or when of at least `min_requests` answers a larger share than `max_error_rate` were 500
    and above (1.0: no share is too large). Raises ValueError.
    """

    window: timedelta = timedelta(seconds=60)
    max_error_rate: float = 0.05
    min_requests: int = 20

    def __post_init__(self) -> None:
        if not timedelta() <= self.window <= LONGEST_WINDOW:
            raise ValueError(f"the window is 0 to {LONGEST_WINDOW.total_seconds():g} seconds")
        if not 0 <= self.max_error_rate <= 1:
            raise ValueError("the error rate is between 0 and 1")
        if not 1 <= self.min_requests <= 1_000_000_000:
            raise ValueError("the number of requests is 1 at least, and a billion at most")


@dataclass(frozen=True)
class Answers:
    """How many requests a revision was asked since it serves, and how many were answered with 500 or above."""

    requests: int = 0
    failures: int = 0


def to_json(rollout: Rollout) -> dict[str, Any]:
    """As kept in the store."""
    return {
        "window_seconds": rollout.window.total_seconds(),
        "max_error_rate": rollout.max_error_rate,
        "min_requests": rollout.min_requests,
    }


def from_json(document: Mapping[str, Any]) -> Rollout:
    """Back from the store."""
    window = timedelta(seconds=document["window_seconds"])
    return Rollout(window, document["max_error_rate"], document["min_requests"])
