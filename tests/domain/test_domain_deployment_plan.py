"""What a deployment does next, decided without a cluster."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from mooring.domain import actions
from mooring.domain.deployments import is_steady, restart_delay
from mooring.domain.errands import Errand
from mooring.domain.lifecycle import Status, TargetStatus
from mooring.domain.replicas import Observation, Phase
from mooring.domain.revisions import RevisionState
from tests.domain.simulated_deployment import POLICY, World


@pytest.fixture
def running() -> World:
    """A deployment that serves its first configuration, at rest."""
    world = World()
    world.patch("c1")
    world.settle()
    return world


def test_a_new_deployment_gets_one_replica_and_runs(running: World) -> None:
    assert running.status is Status.RUNNING
    assert running.routed == "v1"
    assert running.latest_running == "c1"
    assert running.running_replicas() == ["v1r1"]
    assert is_steady(running.view())


def test_nothing_is_done_at_rest(running: World) -> None:
    running.tick(3600)
    assert running.control() == []


def test_a_patch_starts_the_new_beside_the_old_and_switches_when_it_is_ready(running: World) -> None:
    running.patch("c2")
    running.control()
    assert running.running_replicas() == ["v1r1", "v2r1"]
    assert running.routed == "v1", "the old one serves until the new one is ready"
    running.behave()
    running.control()
    assert running.routed == "v2"
    assert running.status is Status.RUNNING
    assert "v1r1" in running.running_replicas(), "the old one stands by"
    running.settle()
    assert running.running_replicas() == ["v2r1"]
    assert running.revision("v1").state is RevisionState.RETIRED


def test_the_old_replica_ends_only_after_standby_and_drain(running: World) -> None:
    running.patch("c2")
    running.control()
    running.behave()
    running.control()
    running.tick(POLICY.standby.total_seconds() - 0.1)
    assert running.control() == []
    running.tick(0.1)
    assert running.control() == [actions.Release("v1")]
    running.tick(POLICY.drain.total_seconds())
    assert running.control() == [actions.StopReplica("v1r1")]


@pytest.mark.parametrize("failure", ["cannot be fetched", "exits while loading", "hangs in loading"])
def test_a_revision_that_cannot_start_leaves_the_old_one_serving(running: World, failure: str) -> None:
    revision = running.patch("c2")
    if failure == "cannot be fetched":
        running.prepared[revision] = Errand(failure="no such version")
    if failure == "exits while loading":
        running.broken.add(revision)
    running.control()
    if failure == "hangs in loading":
        running.tick(POLICY.start.total_seconds() + 1)
    else:
        running.behave()
    running.settle()
    assert running.view().status is Status.DEAD
    assert running.reason
    assert (running.routed, running.latest_running) == ("v1", "c1")
    assert running.running_replicas() == ["v1r1"]


def test_traffic_returns_when_the_successor_dies_within_the_standby_time(running: World) -> None:
    running.patch("c2")
    running.control()
    running.behave()
    running.control()
    running.see("v2", Phase.EXITED, "segmentation fault")
    running.control()
    assert (running.status, running.routed, running.latest_running) == (Status.DEAD, "v1", "c1")
    assert running.reason == "segmentation fault"
    running.settle()
    assert running.running_replicas() == ["v1r1"]


def test_a_dead_deployment_can_be_patched_to_health(running: World) -> None:
    running.broken.add(running.patch("c2"))
    running.settle()
    running.patch("c3")
    running.settle()
    assert (running.status, running.routed, running.latest_running) == (Status.RUNNING, "v3", "c3")
    assert running.running_replicas() == ["v3r1"]


def test_a_patch_during_a_patch_supersedes_it(running: World) -> None:
    running.patch("c2")
    running.control()
    running.patch("c3")
    running.settle()
    assert running.routed == "v3"
    assert running.running_replicas() == ["v3r1"]
    assert not any(isinstance(a, actions.Switch) and a.revision_id == "v2" for a in running.history)


def test_a_dead_replica_is_replaced_and_the_status_stays_running(running: World) -> None:
    running.see("v1", Phase.EXITED, "killed")
    running.control()
    assert running.status is Status.RUNNING
    assert running.running_replicas() == ["v1r2"]
    running.settle()
    assert running.view().serving is not None
    assert is_steady(running.view())


def test_a_replica_that_keeps_dying_is_dead_but_replaced_ever_more_slowly(running: World) -> None:
    running.broken.add("v1")
    running.see("v1", Phase.EXITED, "first")
    running.settle()
    assert running.view().status is Status.DEAD
    assert "died 3 times" in running.reason
    assert "broken" in running.reason
    assert running.routed == "v1", "callers wait for the next replacement instead of getting 404"
    attempts = len(running.revision("v1").replicas)
    running.broken.clear()
    running.settle(steps=600)
    assert running.view().status is Status.RUNNING, "whoever holds out again is not dead"
    assert len(running.revision("v1").replicas) <= attempts + 2


def test_the_fix_for_an_ailing_deployment_is_pending_and_not_dead(running: World) -> None:
    running.broken.add("v1")
    running.see("v1", Phase.EXITED, "first")
    running.settle()
    running.patch("c2")
    running.control()
    assert running.view().status is Status.PENDING
    running.settle()
    assert (running.status, running.routed) == (Status.RUNNING, "v2")


def test_a_ready_replica_that_falls_silent_is_replaced(running: World) -> None:
    silent = replace(running.revision("v1").replicas[0], silent_since=running.now)
    running.revisions[0] = replace(running.revision("v1"), replicas=(silent,))
    running.tick(POLICY.silence.total_seconds() - 1)
    assert running.control() == []
    running.tick(1)
    assert actions.StopReplica("v1r1") in running.control()
    running.settle()
    assert running.running_replicas() == ["v1r2"]
    assert running.status is Status.RUNNING


def test_a_time_to_live_ends_in_removal(running: World) -> None:
    running.expires_at = running.now + timedelta(seconds=5)
    running.settle(steps=30)
    assert running.removed is False
    running.settle()
    assert (running.removed, running.running_replicas()) == (True, [])


def test_what_is_dead_for_seven_days_and_serves_nothing_is_deleted() -> None:
    world = World()
    world.broken.add(world.patch("c1"))
    world.settle()
    assert world.status is Status.DEAD
    world.tick(POLICY.dead.total_seconds() - 300)
    world.settle()
    assert world.removed is False
    world.tick(300)
    world.settle()
    assert (world.removed, world.running_replicas()) == (True, [])


def test_a_patch_begins_the_seven_days_anew() -> None:
    world = World()
    world.broken.add(world.patch("c1"))
    world.settle()
    world.tick(POLICY.dead.total_seconds() - 300)
    world.broken.add(world.patch("c2"))
    world.settle()
    assert world.status is Status.DEAD
    world.tick(300)
    world.settle()
    assert world.removed is False


def test_what_is_dead_but_still_serves_is_never_deleted(running: World) -> None:
    running.broken.add(running.patch("c2"))
    running.settle()
    running.tick(10 * POLICY.dead.total_seconds())
    running.settle()
    assert (running.removed, running.status, running.routed) == (False, Status.DEAD, "v1")


@pytest.mark.parametrize("exit_code", [0, None])
def test_a_start_cut_short_by_us_or_by_the_machine_is_begun_again(exit_code: int | None) -> None:
    """`mooring down` in the middle of a start, or a power cut."""
    world = World()
    world.patch("c1")
    world.control()
    world.see("v1", Phase.EXITED, "gone", asked=exit_code == 0, exit_code=exit_code)
    world.settle()
    assert world.status is Status.RUNNING
    assert world.running_replicas() == ["v1r2"]


def test_a_source_that_is_away_is_waited_for_with_words(running: World) -> None:
    revision = running.patch("c2")
    running.prepared[revision] = Errand(trouble="MLflow is away", may_begin=False)
    running.control()
    assert (running.status, running.reason) == (Status.PENDING, "MLflow is away")
    assert running.control() == [], "said once"
    running.prepared[revision] = Errand(done=True)
    running.settle()
    assert (running.status, running.routed, running.reason) == (Status.RUNNING, revision, "")


def test_a_source_that_stays_away_fails_a_new_revision_and_never_the_serving_one(running: World) -> None:
    revision = running.patch("c2")
    running.prepared[revision] = Errand(trouble="MLflow is away", may_begin=False)
    running.tick(POLICY.prepare.total_seconds() + 1)
    running.settle()
    assert (running.status, running.reason, running.routed) == (Status.DEAD, "MLflow is away", "v1")
    running.prepared["v1"] = Errand(trouble="MLflow is away", may_begin=False)
    running.see("v1", Phase.EXITED, "killed")
    running.settle()
    assert running.routed == "v1"
    running.prepared["v1"] = Errand(done=True)
    running.settle()
    assert running.revision("v1").has_ready_replica()


def test_replicas_that_we_ended_ourselves_do_not_count_as_deaths(running: World) -> None:
    for _ in range(5):  # `mooring down` and `mooring up`, five times
        running.see("v1", Phase.EXITED, "stopped as asked", asked=True)
        running.settle()
    assert running.status is Status.RUNNING


@pytest.mark.parametrize(("target", "removed"), [(TargetStatus.STOPPED, False), (TargetStatus.DELETED, True)])
def test_stop_and_delete_take_it_out_of_the_gateway_before_they_end_it(
    running: World, target: TargetStatus, removed: bool
) -> None:
    running.target = target
    running.control()
    assert running.routed is None
    assert running.running_replicas() == ["v1r1"]
    running.settle()
    assert running.running_replicas() == []
    assert running.removed is removed
    assert removed or running.status is Status.STOPPED
    kinds = [type(action) for action in running.history]
    assert kinds.index(actions.Unpublish) < kinds.index(actions.StopReplica)


def test_stop_while_it_starts_leaves_nothing_behind() -> None:
    world = World()
    world.patch("c1")
    world.control()
    world.target = TargetStatus.STOPPED
    world.settle()
    assert world.status is Status.STOPPED
    assert world.running_replicas() == []


def test_restarts_slow_down() -> None:
    assert [restart_delay(n).total_seconds() for n in range(8)] == [0, 0, 1, 2, 4, 8, 16, 30]


@pytest.fixture
def pair() -> World:
    """A deployment that serves its first configuration with two replicas, at rest."""
    world = World(min_replicas=2)
    world.patch("c1")
    world.settle()
    return world


def ended(world: World, replica_id: str, *, exit_code: int | None = 1) -> None:
    world.phases[replica_id] = Observation(Phase.EXITED, pid=1, reason="killed", exit_code=exit_code)


def test_as_many_replicas_run_as_are_wanted(pair: World) -> None:
    assert (pair.status, pair.routed) == (Status.RUNNING, "v1")
    assert pair.running_replicas() == ["v1r1", "v1r2"]
    assert is_steady(pair.view())
    pair.tick(3600)
    assert pair.control() == []


def test_a_new_revision_takes_over_when_all_that_are_wanted_are_ready(pair: World) -> None:
    pair.patch("c2")
    pair.control()
    assert pair.running_replicas() == ["v1r1", "v1r2", "v2r1", "v2r2"]
    pair.phases["v2r1"] = Observation(Phase.READY, pid=1)
    pair.control()
    assert pair.routed == "v1"
    pair.behave()
    pair.control()
    assert pair.routed == "v2"
    pair.settle()
    assert pair.running_replicas() == ["v2r1", "v2r2"]


def test_one_of_two_that_dies_is_replaced_while_the_other_serves(pair: World) -> None:
    ended(pair, "v1r1")
    pair.control()
    assert not is_steady(pair.view())
    assert pair.running_replicas() == ["v1r2", "v1r3"]
    pair.settle()
    assert is_steady(pair.view())
    assert pair.status is Status.RUNNING


def test_one_of_two_that_keeps_dying_is_replaced_ever_more_slowly_and_nobody_is_dead(pair: World) -> None:
    pair.broken.add("v1")
    ended(pair, "v1r1")
    pair.settle(steps=600)
    assert (pair.status, pair.routed) == (Status.RUNNING, "v1")
    assert "v1r2" in pair.running_replicas()
    assert len(pair.revision("v1").replicas) <= 16


def test_one_of_two_that_cannot_start_fails_its_revision(pair: World) -> None:
    pair.patch("c2")
    pair.control()
    ended(pair, "v2r2")
    pair.settle()
    assert (pair.status, pair.routed, pair.reason) == (Status.DEAD, "v1", "killed")
    assert pair.running_replicas() == ["v1r1", "v1r2"]


def test_traffic_returns_when_all_replicas_of_the_successor_have_died(pair: World) -> None:
    pair.patch("c2")
    pair.control()
    pair.behave()
    pair.control()
    ended(pair, "v2r1")
    pair.control()
    assert pair.routed == "v2", "the other one can answer"
    ended(pair, "v2r2")
    pair.control()
    assert (pair.status, pair.routed) == (Status.DEAD, "v1")
    pair.settle()
    assert pair.running_replicas() == ["v1r1", "v1r2"]


def test_the_end_of_the_machine_is_one_death_however_many_replicas_there_are(pair: World) -> None:
    for _ in range(POLICY.crash_limit - 1):
        pair.see("v1", Phase.EXITED, "gone", exit_code=None)
        pair.settle(steps=100)
    assert pair.status is Status.RUNNING
    assert len(pair.running_replicas()) == 2


def test_a_revision_may_have_its_own_time_of_silence(running: World) -> None:
    silent = replace(running.revision("v1").replicas[0], silent_since=running.now)
    running.revisions[0] = replace(running.revision("v1"), replicas=(silent,), silence=timedelta(seconds=5))
    running.tick(4)
    assert running.control() == []
    running.tick(1)
    assert actions.StopReplica("v1r1") in running.control()


@pytest.mark.parametrize("replicas", [1, 2, 3])
@pytest.mark.parametrize("seed", range(80))
def test_whatever_happens_it_comes_to_rest_with_what_was_asked_for_last(seed: int, replicas: int) -> None:
    """Random patches, deaths, broken revisions, time, and a control plane that dies in the middle of any action."""
    chance = random.Random(seed)
    world = World(min_replicas=replicas)
    world.patch("c1")
    mortal = seed % 2 == 1

    def dies() -> bool:
        return mortal and chance.random() < 0.2

    for step in range(60):
        match chance.randrange(7):
            case 0:
                revision = world.patch(f"c{step + 2}")
                if chance.random() < 0.4:
                    world.broken.add(revision)
            case 1:
                revision, exit_code = chance.choice(world.revisions).id, chance.choice([-9, None])
                live = world.revision(revision).live
                if chance.random() < 0.5 or not live:
                    world.see(revision, Phase.EXITED, "killed", exit_code=exit_code)
                else:
                    ended(world, chance.choice(live).id, exit_code=exit_code)
            case 2:
                world.tick(chance.choice([0.1, 1, 11, 61]))
            case 3:
                world.publish()
            case _:
                world.behave()
        served = world.routed is not None
        world.control(dies=dies)
        assert world.routed is not None or not served, "whatever has served stays published"
    good = world.patch("last")
    world.settle(dies=dies)
    world.settle()
    assert (world.status, world.routed, world.latest_running) == (Status.RUNNING, good, "last")
    assert len(world.running_replicas()) == replicas
    world.target = TargetStatus.DELETED
    world.settle(dies=dies)
    world.settle()
    assert world.removed
    assert world.running_replicas() == []
