"""What a deployment needs next: a pure function from what is seen to a list of small actions.

A controller calls `plan` again after it has carried the actions out, until there are none. Each action can be repeated
harmlessly, so it does not matter where a controller dies. The journey of a PATCH, as actions: `Prepare`, `AddReplica`,
`Launch`, `NoteReady`, `Switch` (from here on the new revision is the one that serves), `ConfirmSwitch` (the gateway
has taken it over), and, once the standby time is over, `Release`, `StopReplica`, `ForgetReplica`, `Retire` for the old.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from mooring.domain.actions import (
    Accept,
    Action,
    AddReplica,
    ConfirmSwitch,
    Fail,
    ForgetReplica,
    Launch,
    MarkStopped,
    NoteEnded,
    NoteReady,
    Prepare,
    Release,
    Remove,
    Retire,
    StopReplica,
    Switch,
    SwitchBack,
    Unpublish,
)
from mooring.domain.lifecycle import Status, TargetStatus
from mooring.domain.replicas import Observation, Phase
from mooring.domain.revisions import RevisionState


@dataclass(frozen=True)
class Policy:
    """The times and limits that decisions depend on (see `mooring.settings`)."""

    start: timedelta
    standby: timedelta
    drain: timedelta
    crash_limit: int
    crash_window: timedelta


@dataclass(frozen=True)
class ReplicaView:
    """A replica: what the store knows and what the runtime sees."""

    id: str
    created_at: datetime
    observation: Observation
    ready_at: datetime | None = None
    ended_at: datetime | None = None
    stop_requested: bool = False
    forgotten: bool = False
    reason: str = ""

    @property
    def is_live(self) -> bool:
        return self.ended_at is None


@dataclass(frozen=True)
class Preparation:
    """Whether everything that a revision's replicas need lies on this machine; `failure` says why it cannot."""

    done: bool = False
    failure: str | None = None


@dataclass(frozen=True)
class RevisionView:
    """A revision and its replicas, oldest first."""

    id: str
    configuration_id: str
    state: RevisionState
    preparation: Preparation = Preparation()
    switched_at: datetime | None = None
    released_at: datetime | None = None
    replicas: tuple[ReplicaView, ...] = ()

    @property
    def live(self) -> list[ReplicaView]:
        return [replica for replica in self.replicas if replica.is_live]

    def has_ready_replica(self) -> bool:
        return any(replica.ready_at and not replica.stop_requested for replica in self.live)


@dataclass(frozen=True)
class DeploymentView:
    """A deployment and its revisions that are not retired, oldest first."""

    status: Status
    target: TargetStatus
    serving_revision_id: str | None
    revisions: tuple[RevisionView, ...]

    @property
    def serving(self) -> RevisionView | None:
        return next((r for r in self.revisions if r.id == self.serving_revision_id), None)


def plan(view: DeploymentView, now: datetime, policy: Policy) -> list[Action]:
    """What to do now; an empty list when there is nothing (yet)."""
    facts = list(_new_facts(view))
    if facts:
        return facts  # record what is seen before deciding on it
    if view.target in (TargetStatus.STOPPED, TargetStatus.DELETED):
        return list(_end(view, now, policy))
    return list(_run(view, now, policy))


def is_steady(view: DeploymentView) -> bool:
    """Whether a later look will do: nothing is on its way."""
    if any(replica.stop_requested for revision in view.revisions for replica in revision.live):
        return False
    match view.status:
        case Status.STOPPED:
            return True
        case Status.RUNNING | Status.DEAD:
            serving = view.serving
            healthy = serving is None or serving.has_ready_replica()
            return healthy and not any(r.state is RevisionState.STARTING for r in view.revisions)
        case _:
            return False


def restart_delay(crashes: int) -> timedelta:
    """How long to wait before replacing a replica, after so many deaths in a row: 0, 0, 1, 2, 4 … 30 seconds."""
    return timedelta(seconds=0 if crashes < 2 else min(30, 2 ** (crashes - 2)))


def _new_facts(view: DeploymentView) -> Iterator[Action]:
    for revision in view.revisions:
        for replica in revision.live:
            phase = replica.observation.phase
            if phase is Phase.EXITED:
                yield NoteEnded(replica.id, replica.observation.reason, replica.observation.asked)
            elif phase is Phase.ABSENT and (replica.ready_at or replica.stop_requested):
                yield NoteEnded(replica.id, "the replica has vanished")
            elif phase is Phase.READY and not replica.ready_at and not replica.stop_requested:
                yield NoteReady(replica.id)


def _run(view: DeploymentView, now: datetime, policy: Policy) -> Iterator[Action]:
    if view.status is Status.UNKNOWN:
        yield Accept()
    if not view.revisions:
        return
    newest = view.revisions[-1]
    for revision in view.revisions[:-1]:
        if revision.state is RevisionState.STARTING:
            yield Release(revision.id)  # superseded before it was ready
    if newest.state is RevisionState.STARTING:
        yield from _bring_up(newest, now, policy)
    if view.serving:
        yield from _keep_serving(view.serving, view, now, policy)
    for revision in view.revisions:
        yield from _wind_down(revision, now, policy)


def _bring_up(revision: RevisionView, now: datetime, policy: Policy) -> Iterator[Action]:
    if revision.preparation.failure is not None:
        yield Fail(revision.id, revision.preparation.failure)
    elif not revision.preparation.done:
        yield Prepare(revision.id)
    elif not revision.replicas:
        yield AddReplica(revision.id)
    elif not revision.live:
        yield Fail(revision.id, revision.replicas[-1].reason)
    elif revision.has_ready_replica():
        yield Switch(revision.id)
    else:
        yield from _launch_or_give_up(revision, now, policy)


def _launch_or_give_up(revision: RevisionView, now: datetime, policy: Policy) -> Iterator[Action]:
    for replica in revision.live:
        if replica.observation.phase is Phase.ABSENT:
            yield Launch(revision.id, replica.id)
        elif now - replica.created_at > policy.start:
            seconds = policy.start.total_seconds()
            yield Fail(revision.id, f"not ready after {seconds:g} s; see the deployment's logs")


def _keep_serving(serving: RevisionView, view: DeploymentView, now: datetime, policy: Policy) -> Iterator[Action]:
    if serving.switched_at is None:
        yield ConfirmSwitch(serving.id)
        return
    standby = [r for r in view.revisions if r.state is RevisionState.STANDBY]
    yield from (Release(revision.id) for revision in standby[:-1])
    if serving.has_ready_replica():
        if now - serving.switched_at >= policy.standby:
            yield from (Release(revision.id) for revision in standby[-1:])
        return
    if serving.live:
        yield from _launch_or_replace(serving, now, policy)
        return
    reason = serving.replicas[-1].reason if serving.replicas else ""
    ready_standby = next((r for r in reversed(standby) if r.has_ready_replica()), None)
    if ready_standby:
        yield SwitchBack(ready_standby.id, serving.id, reason)
    else:
        yield from _replace(serving, reason, now, policy)


def _launch_or_replace(serving: RevisionView, now: datetime, policy: Policy) -> Iterator[Action]:
    for replica in serving.live:
        if replica.observation.phase is Phase.ABSENT:
            if serving.preparation.done:
                yield Launch(serving.id, replica.id)
            elif serving.preparation.failure is None:
                yield Prepare(serving.id)
            else:
                yield NoteEnded(replica.id, serving.preparation.failure)
        elif now - replica.created_at > policy.start and not replica.stop_requested:
            yield StopReplica(replica.id)


def _replace(serving: RevisionView, reason: str, now: datetime, policy: Policy) -> Iterator[Action]:
    dead = (replica.ended_at for replica in serving.replicas if not replica.stop_requested)
    deaths = [ended_at for ended_at in dead if ended_at and now - ended_at < policy.crash_window]
    if len(deaths) >= policy.crash_limit:
        yield Fail(serving.id, f"its replicas died {len(deaths)} times, the last time because: {reason}")
        yield Unpublish()
    elif not deaths or now - max(deaths) >= restart_delay(len(deaths) - 1):
        yield AddReplica(serving.id)


def _end(view: DeploymentView, now: datetime, policy: Policy) -> Iterator[Action]:
    if view.serving_revision_id:
        yield Unpublish()
        return
    for revision in view.revisions:
        if revision.state is RevisionState.STARTING:
            yield Release(revision.id)
        yield from _wind_down(revision, now, policy)
    if not any(revision.live for revision in view.revisions):
        if view.target is TargetStatus.DELETED:
            yield Remove()
        elif view.status is not Status.STOPPED:
            yield MarkStopped()


def _wind_down(revision: RevisionView, now: datetime, policy: Policy) -> Iterator[Action]:
    for replica in revision.replicas:
        if not replica.is_live and not replica.forgotten:
            yield ForgetReplica(replica.id)
    if revision.state not in (RevisionState.DRAINING, RevisionState.FAILED):
        return
    if not revision.live:
        yield Retire(revision.id)
    elif revision.released_at is None or now - revision.released_at >= policy.drain:
        yield from (StopReplica(r.id) for r in revision.live if not r.stop_requested)
