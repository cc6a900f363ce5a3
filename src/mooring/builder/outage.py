"""A server that does not answer: said once, asked ever more seldom, and said when it is back."""

import logging
import random

_log = logging.getLogger("mooring.builder")

_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 30.0


class Outage:
    """Of one server, `name`. Nothing is undone during one: what runs goes on."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._failures = 0

    def failed(self, reason: object) -> float:
        """Seconds to wait before the next question (at most 30)."""
        self._failures += 1
        if self._failures == 1:
            _log.warning("%s is away, everything stays as it is until it is back: %s", self._name, reason)
        full = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2.0 ** min(self._failures - 1, 10))
        return full * random.uniform(0.5, 1.0)  # noqa: S311 - spreading load, not a secret

    def over(self) -> bool:
        """It has answered. True when it was away before."""
        was_away = self._failures > 0
        if was_away:
            _log.info("%s is back", self._name)
        self._failures = 0
        return was_away
