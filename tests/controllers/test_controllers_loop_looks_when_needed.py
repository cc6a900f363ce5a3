"""Every deployment gets its steps: soon after a change, often in transition, and whatever happens to the others."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mooring.controllers.loop import ControlLoop

_LONG = 60.0


class Steps:
    """Counts the steps per id; `outcome` says what a step does."""

    def __init__(self, outcome: Callable[[str], bool]) -> None:
        self.count: Counter[str] = Counter()
        self.running: Counter[str] = Counter()
        self.overlapped = False
        self._outcome = outcome
        self._changed = threading.Condition()

    def __call__(self, deployment_id: str) -> bool:
        with self._changed:
            self.running[deployment_id] += 1
            self.overlapped |= self.running[deployment_id] > 1
            self.count[deployment_id] += 1
            self._changed.notify_all()
        try:
            return self._outcome(deployment_id)
        finally:
            with self._changed:
                self.running[deployment_id] -= 1

    def wait_for(self, deployment_id: str, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.count[deployment_id] >= count, 10), self.count


@contextmanager
def looping(ids: list[str], steps: Steps, steady_seconds: float = _LONG) -> Iterator[ControlLoop]:
    loop = ControlLoop(all_ids=lambda: list(ids), step=steps, steady_seconds=steady_seconds)
    loop.start()
    yield loop
    loop.stop(timeout_seconds=10)


def test_everything_is_looked_at_once_at_the_start() -> None:
    steps = Steps(lambda _: True)
    with looping(["a", "b"], steps):
        steps.wait_for("a", 1)
        steps.wait_for("b", 1)


def test_what_is_in_transition_is_looked_at_again_soon_and_what_rests_is_not() -> None:
    steps = Steps(lambda id_: id_ == "resting")
    with looping(["moving", "resting"], steps):
        steps.wait_for("moving", 5)
    assert steps.count["resting"] == 1


def test_a_wake_looks_at_what_rests() -> None:
    steps = Steps(lambda _: True)
    with looping(["a"], steps) as loop:
        steps.wait_for("a", 1)
        loop.wake()
        steps.wait_for("a", 2)


def test_a_wake_during_a_step_is_not_lost() -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow(_: str) -> bool:
        entered.set()
        return leave.wait(10)

    steps = Steps(slow)
    with looping(["a"], steps) as loop:
        assert entered.wait(10)
        loop.wake()
        leave.set()
        steps.wait_for("a", 2)
    assert not steps.overlapped


def test_a_new_deployment_is_found_by_a_wake() -> None:
    ids: list[str] = []
    steps = Steps(lambda _: True)
    with looping(ids, steps) as loop:
        ids.append("new")
        loop.wake()
        steps.wait_for("new", 1)


def test_one_that_hangs_and_one_that_fails_do_not_hold_up_the_others() -> None:
    leave = threading.Event()

    def outcome(id_: str) -> bool:
        if id_ == "hangs":
            leave.wait(10)
        if id_ == "fails":
            raise RuntimeError("on purpose")
        return False

    steps = Steps(outcome)
    with looping(["hangs", "fails", "works"], steps):
        steps.wait_for("works", 5)
        leave.set()
    assert steps.count["hangs"] >= 1


def test_stopping_waits_for_the_step_that_runs() -> None:
    entered, ended = threading.Event(), threading.Event()

    def slow(_: str) -> bool:
        entered.set()
        while not loops[0].is_stopping:
            threading.Event().wait(0.01)
        ended.set()
        return True

    loops = [ControlLoop(all_ids=lambda: ["a"], step=slow, steady_seconds=_LONG)]
    loops[0].start()
    assert entered.wait(10)
    loops[0].stop(timeout_seconds=10)
    assert ended.is_set()
