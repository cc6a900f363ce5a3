"""A change that is watched: what has failed gives way to what served before, once, whenever anybody dies meanwhile."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from mooring.domain import actions
from mooring.domain.errands import Errand
from mooring.domain.lifecycle import Status, TargetStatus
from mooring.domain.replicas import Phase
from mooring.domain.revisions import RevisionState
from mooring.domain.rollouts import Rollout, from_json, to_json
from tests.domain.simulated_deployment import POLICY, World

WATCHED = Rollout(window=timedelta(seconds=60), max_error_rate=0.1, min_requests=10)


@pytest.fixture
def running() -> World:
    """A deployment that serves its first configuration, at rest."""
    world = World()
    world.patch("c1")
    world.settle()
    return world


@pytest.fixture
def switched(running: World) -> World:
    """The second configuration serves, watched; the first stands by."""
    running.patch("c2", WATCHED)
    running.control()
    running.behave()
    running.control()
    assert (running.routed, running.configuration, running.latest_running) == ("v2", "c2", "c2")
    return running


def returned(world: World, reason: str) -> None:
    """It is as it was before the change, and says why; nothing of the change runs."""
    world.settle()
    assert (world.status, world.routed, world.configuration, world.latest_running) == (Status.RUNNING, "v1", "c1", "c1")
    assert reason in world.reason
    assert world.running_replicas() == ["v1r1"]
    assert world.revision("v2").state is RevisionState.RETIRED
    assert sum(isinstance(action, actions.Return) for action in world.history) == 1, "not back and forth"


def cannot_be_fetched(world: World) -> None:
    world.prepared["v2"] = Errand(failure="no such version")


def exits_while_loading(world: World) -> None:
    world.broken.add("v2")


def never_gets_ready(world: World) -> None:
    world.control()
    world.tick(POLICY.start.total_seconds() + 1)


@pytest.mark.parametrize(
    ("fail", "reason"),
    [(cannot_be_fetched, "no such version"), (exits_while_loading, "broken"), (never_gets_ready, "not ready after")],
)
def test_one_that_cannot_serve_returns_before_the_switch(
    running: World, fail: Callable[[World], None], reason: str
) -> None:
    running.patch("c2", WATCHED)
    fail(running)
    returned(running, reason)
    assert Status.DEAD not in running.statuses, "what is asked for is kept all the time"


def dies(world: World) -> None:
    world.see("v2", Phase.EXITED, "segmentation fault")


def falls_silent(world: World) -> None:
    replicas = tuple(replace(each, silent_since=world.now) for each in world.revision("v2").replicas)
    world._set("v2", replicas=replicas)
    world.tick(POLICY.unready.total_seconds())


def answers_500(world: World) -> None:
    world.answer("v2", requests=10, failures=2)


@pytest.mark.parametrize(
    ("fail", "reason"),
    [(dies, "segmentation fault"), (falls_silent, "did not answer"), (answers_500, "2 of 10 requests")],
)
@pytest.mark.parametrize("after_seconds", [0.0, 30.0, 59.9])
def test_one_that_fails_within_its_window_returns(
    switched: World, fail: Callable[[World], None], reason: str, after_seconds: float
) -> None:
    switched.tick(after_seconds)
    switched.control()
    fail(switched)
    switched.control()
    assert switched.routed == "v1"
    returned(switched, reason)


@pytest.mark.parametrize(
    ("requests", "failures", "gives_way"),
    [(9, 9, False), (10, 1, False), (10, 2, True), (1000, 100, False), (1000, 101, True), (0, 0, False)],
)
def test_a_share_of_errors_counts_from_so_many_requests_on(
    switched: World, requests: int, failures: int, gives_way: bool
) -> None:
    switched.answer("v2", requests, failures)
    switched.control()
    assert (switched.routed == "v1") is gives_way


def test_after_the_window_there_is_no_way_back(switched: World) -> None:
    switched.tick(60)
    switched.control()
    assert actions.Release("v1") in switched.history
    switched.answer("v2", requests=100, failures=100)
    switched.settle()
    assert (switched.status, switched.routed, switched.running_replicas()) == (Status.RUNNING, "v2", ["v2r1"])


def test_what_served_before_is_kept_alive_during_the_window(switched: World) -> None:
    switched.see("v1", Phase.EXITED, "killed")
    switched.control()
    switched.behave()
    switched.control()
    assert switched.running_replicas() == ["v2r1", "v1r2"]
    dies(switched)
    switched.control()
    assert switched.routed == "v1"


def test_the_returned_one_that_fails_too_is_dead_and_goes_nowhere(switched: World) -> None:
    dies(switched)
    switched.control()
    switched.broken.add("v1")
    for _ in range(POLICY.crash_limit + 1):
        switched.see("v1", Phase.EXITED, "killed, too")
        switched.settle(steps=30)
    assert (switched.status, switched.routed, switched.configuration) == (Status.DEAD, "v1", "c1")
    assert sum(isinstance(action, actions.Return) for action in switched.history) == 1
    switched.broken.clear()
    switched.settle()
    assert switched.status is Status.RUNNING
    assert "segmentation fault" in switched.reason, "why this one serves can be read for as long as it does"


def test_another_change_wins_over_the_way_back(switched: World) -> None:
    newer = switched.patch("c3")
    switched.control()
    dies(switched)
    switched.control()
    assert switched.routed == "v1", "it goes back, because the newer one is not there yet"
    assert switched.configuration == "c3"
    switched.settle()
    assert (switched.status, switched.routed, switched.latest_running) == (Status.RUNNING, newer, "c3")
    assert switched.reason == ""


def test_another_change_that_fails_leaves_the_one_before_and_its_window(switched: World) -> None:
    switched.broken.add(switched.patch("c3", WATCHED))
    switched.settle(steps=20)
    assert (switched.status, switched.routed, switched.configuration) == (Status.RUNNING, "v2", "c2")
    dies(switched)
    switched.control()
    assert (switched.routed, switched.configuration) == ("v1", "c1")


def test_what_cannot_be_gone_back_to_now_is_gone_back_to_once_it_answers(running: World) -> None:
    running.patch("c2", WATCHED)
    running.broken.update({"v1", "v2"})
    running.see("v1", Phase.EXITED, "killed")
    running.settle(steps=20)
    assert running.status is Status.DEAD
    running.broken.discard("v1")
    running.settle()
    assert (running.status, running.routed, running.configuration) == (Status.RUNNING, "v1", "c1")


def test_a_first_configuration_has_nothing_to_go_back_to() -> None:
    world = World()
    world.broken.add(world.patch("c1", WATCHED))
    world.settle()
    assert (world.status, world.reason) == (Status.DEAD, "broken")


@pytest.mark.parametrize("target", [TargetStatus.STOPPED, TargetStatus.DELETED])
@pytest.mark.parametrize("failed", [False, True])
def test_stop_and_delete_within_the_window_end_both(switched: World, target: TargetStatus, failed: bool) -> None:
    if failed:
        dies(switched)
    switched.target = target
    switched.settle()
    assert switched.routed is None
    assert switched.running_replicas() == []


def test_what_has_failed_is_stopped_only_once_nobody_is_led_there(switched: World) -> None:
    answers_500(switched)
    switched.carry_out(actions.Return("v1", "v2", "500"))  # and the control plane dies
    switched.tick(3600)
    assert switched.planned() == [actions.ConfirmSwitch("v1")]
    returned(switched, "500")


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_somebody_serves_and_it_comes_to_rest(seed: int) -> None:
    """Watched and plain changes, deaths, errors, time, and a control plane that dies in the middle of any action."""
    chance = random.Random(seed)
    world = World()
    world.patch("c1")
    mortal = seed % 2 == 1
    for step in range(60):
        match chance.randrange(7):
            case 0:
                revision = world.patch(f"c{step + 2}", WATCHED if chance.random() < 0.7 else None)
                if chance.random() < 0.4:
                    world.broken.add(revision)
            case 1:
                world.see(
                    chance.choice(world.revisions).id, Phase.EXITED, "killed", exit_code=chance.choice([-9, None])
                )
            case 2:
                world.tick(chance.choice([0.1, 1, 11, 61]))
            case 3:
                world.answer(chance.choice(world.revisions).id, requests=100, failures=chance.choice([0, 100]))
            case _:
                world.behave()
        served = world.routed is not None
        world.control(dies=lambda: mortal and chance.random() < 0.2)
        assert world.routed is not None or not served, "whatever has served stays published"
    good = world.patch("last", WATCHED)
    world.settle()
    world.tick(61)
    world.settle()
    assert (world.status, world.routed, world.latest_running) == (Status.RUNNING, good, "last")
    assert len(world.running_replicas()) == 1


def test_what_is_asked_for_is_kept_as_it_is() -> None:
    assert from_json(to_json(WATCHED)) == WATCHED


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": timedelta(seconds=-1)},
        {"window": timedelta(days=2)},
        {"max_error_rate": 1.1},
        {"max_error_rate": float("nan")},
        {"min_requests": 0},
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"is"):
        Rollout(**wrong)  # type: ignore[arg-type]
