"""What the builder remembers between rounds. Losing it costs at most one more try of a version that failed."""

import threading
import time
from dataclasses import replace

from mooring.builder.plan import Failure, Plan
from mooring.builder.wanted import Wanted


class Memory:
    """Per registered model. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: dict[str, Failure] = {}
        self._moving_since: dict[str, tuple[Wanted, float]] = {}
        self._told: dict[str, str] = {}

    def failure(self, model: str) -> Failure | None:
        with self._lock:
            return self._failures.get(model)

    def waited_seconds(self, model: str, wanted: Wanted | None) -> float:
        """How long this version, marked like this, has been on its way."""
        with self._lock:
            moving = self._moving_since.get(model)
            return time.monotonic() - moving[1] if moving and moving[0] == wanted else 0.0

    def planned(self, model: str, wanted: Wanted | None, plan: Plan) -> None:
        """Keep what the plan says, and forget what it does not."""
        with self._lock:
            _put(self._failures, model, plan.failure)
            moving = self._moving_since.get(model)
            if wanted is None or plan.statuses.get(wanted.version) != "DEPLOYING":
                self._moving_since.pop(model, None)
            elif moving is None or moving[0] != wanted:
                self._moving_since[model] = (wanted, time.monotonic())

    def tried(self, model: str, wanted: Wanted) -> None:
        """The change has been asked for: its time begins, an earlier failure is over."""
        with self._lock:
            self._failures.pop(model, None)
            self._moving_since[model] = (wanted, time.monotonic())

    def failed(self, model: str, failure: Failure) -> None:
        with self._lock:
            self._failures[model] = failure

    def marked_again(self, model: str) -> None:
        """Whatever failed is to be tried again."""
        with self._lock:
            if failure := self._failures.get(model):
                self._failures[model] = replace(failure, mark="")

    def is_news(self, model: str, text: str) -> bool:
        """Whether this is not what was said of the model last."""
        with self._lock:
            before, self._told[model] = self._told.get(model), text
            return before != text

    def restart_clocks(self) -> None:
        """Time in which nobody could look does not count."""
        with self._lock:
            self._moving_since.clear()


def _put(failures: dict[str, Failure], model: str, failure: Failure | None) -> None:
    if failure is None:
        failures.pop(model, None)
    else:
        failures[model] = failure
