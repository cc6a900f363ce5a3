"""Trying again what may pass: ever later, never in step with others, and not for ever."""

import random
import threading
from collections.abc import Callable
from typing import TypeVar

from mooring.artifacts.deadline import Deadline
from mooring.artifacts.errors import SourceAway
from mooring.artifacts.parallel import GivenUp

T = TypeVar("T")

_ATTEMPTS = 6
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0


def patiently(action: Callable[[], T], deadline: Deadline, given_up: threading.Event) -> T:
    """The action's result, begun anew when the store stumbles (SourceAway). Raises its last error, TookTooLong."""
    pause = _FIRST_PAUSE_SECONDS
    for _ in range(_ATTEMPTS - 1):
        try:
            return action()
        except SourceAway:
            if given_up.wait(min(pause * random.uniform(0.5, 1.5), deadline.left())):  # noqa: S311 - no secret
                raise GivenUp from None
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
    return action()
