"""Waiting with a deadline for what passes."""

import time
from collections.abc import Callable
from typing import TypeVar

from mooring.client.errors import ApiError, NotFound, TooManyRequests

_BUSY_SECONDS = 120.0
_FIRST_SECONDS = 0.5
_SLOWEST_SECONDS = 10.0

Answer = TypeVar("Answer")


def patiently(call: Callable[[], Answer], *, seconds: float = _BUSY_SECONDS, first: float = _FIRST_SECONDS) -> Answer:
    """A write, again while the server says that it has too much to do (and so has not done it). Raises ApiError."""
    deadline = time.monotonic() + seconds
    pause = first
    while True:
        try:
            return call()
        except TooManyRequests:
            if time.monotonic() + pause >= deadline:
                raise
        time.sleep(pause)
        pause = min(pause * 2, _SLOWEST_SECONDS)


def await_(condition: Callable[[], bool], seconds: float, *, first: float = 0.2) -> bool:
    """Whether it has come true in time; a server that is away or does not know the object yet may have it later.

    Raises ApiError for what does not pass.
    """
    deadline = time.monotonic() + seconds
    pause = first
    while True:
        try:
            if condition():
                return True
        except ApiError as error:
            if not (error.temporary or isinstance(error, NotFound)):
                raise
        if time.monotonic() + pause >= deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, _SLOWEST_SECONDS)
