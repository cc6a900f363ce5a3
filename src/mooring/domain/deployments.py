"""What a deployment needs next: a pure function from what is seen to a list of small actions.

A controller calls `plan` again after it has carried the actions out, until there are none. Each action can be repeated
harmlessly, so it does not matter where a controller dies. The journey of a PATCH, as actions: `Prepare`, `AddReplica`,
`Launch`, `NoteReady`, `Switch` (from here on the new revision is the one that serves), `ConfirmSwitch` (the gateway
has taken it over), and, once the standby time is over, `Release`, `StopReplica`, `ForgetReplica`, `Retire` for the old.

A change that is to be watched (`mooring.domain.rollouts`) ends in `Return` when it fails: the revision that served
before becomes the newest one, so that everything else sees a deployment that was asked for it. What has failed never
stands by, so there is no way back and forth.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from mooring.domain.actions import (
    Accept,
    Action,
    AddReplica,
    ConfirmSwitch,
    Fail,
    ForgetReplica,
    Launch,
    MarkAiling,
    MarkRecovered,
    MarkStopped,
    NoteEnded,
    NoteReady,
    Prepare,
    Release,
    Remove,
    Retire,
    Return,
    StopReplica,
    Switch,
    SwitchBack,
    Tell,
    Unpublish,
)
from mooring.domain.lifecycle import Status, TargetStatus
from mooring.domain.replicas import Phase
from mooring.domain.revisions import RevisionState
from mooring.domain.rollout_watch import standby_time, why_give_way
from mooring.domain.views import DeploymentView, Policy, ReplicaView, RevisionView


def plan(view: DeploymentView, now: datetime, policy: Policy) -> list[Action]:
    """What to do now; an empty list when there is nothing (yet)."""
    facts = list(_new_facts(view))
    if facts:
        return facts  # record what is seen before deciding on it
    is_over = view.has_expired(now) or view.is_abandoned(now, policy)
    target = TargetStatus.DELETED if is_over else view.target
    if target in (TargetStatus.STOPPED, TargetStatus.DELETED):
        return list(_end(view, target, now, policy))
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
            healthy = serving is None or serving.is_complete()
            return healthy and not any(r.state is RevisionState.STARTING for r in view.revisions)
        case _:  # what is fetched in the background announces its end by itself
            return not any(revision.live for revision in view.revisions) and view.status is Status.PENDING


def restart_delay(crashes: int) -> timedelta:
    """How long to wait before replacing a replica, after so many deaths in a row: 0, 0, 1, 2, 4 … 30 seconds."""
    return timedelta(seconds=0 if crashes < 2 else min(30, 2 ** (crashes - 2)))


def _new_facts(view: DeploymentView) -> Iterator[Action]:
    for revision in view.revisions:
        for replica in revision.live:
            seen = replica.observation
            if seen.phase is Phase.EXITED:
                yield NoteEnded(replica.id, seen.reason, seen.asked, seen=seen.exit_code is not None)
            elif seen.phase is Phase.ABSENT and (replica.ready_at or replica.stop_requested):
                yield NoteEnded(replica.id, "the replica has vanished", seen=False)
            elif seen.phase is Phase.READY and not replica.ready_at and not replica.stop_requested:
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
        steps = list(_bring_up(newest, view, now, policy))
        yield from steps
        if any(isinstance(step, Switch | Return) for step in steps):
            return  # another one serves or is wanted now: the rest is decided anew
    if view.serving:
        yield from _keep_serving(view.serving, view, now, policy)
    for revision in view.revisions:
        if revision.state is not RevisionState.FAILED or _is_routed(view):
            yield from _wind_down(revision, now, policy, keep=revision is newest)


def _is_routed(view: DeploymentView) -> bool:
    """Whether the gateway knows who serves; until then, what has failed may still be asked."""
    return view.serving is None or view.serving.switched_at is not None


def _bring_up(revision: RevisionView, view: DeploymentView, now: datetime, policy: Policy) -> Iterator[Action]:
    preparation = revision.preparation
    if preparation.failure is not None:
        yield _give_up(revision, view, preparation.failure)
    elif not preparation.done:
        yield from _prepare(revision, view, now, policy)
    elif revision.is_complete():
        yield Switch(revision.id)
    elif revision.missing:
        yield from _add_or_fail(revision, view, policy)
    else:
        yield from _launch_or_give_up(revision, view, now, policy)


def _prepare(revision: RevisionView, view: DeploymentView, now: datetime, policy: Policy) -> Iterator[Action]:
    trouble = revision.preparation.trouble
    if trouble and now - revision.created_at > policy.prepare:
        yield _give_up(revision, view, trouble)
    elif revision.preparation.may_begin:
        yield Prepare(revision.id)
    elif trouble and view.status_message != trouble:
        yield Tell(trouble)


def _add_or_fail(revision: RevisionView, view: DeploymentView, policy: Policy) -> Iterator[Action]:
    """A replica that failed by itself fails its revision; one that we ended, or the machine, tells nothing about it."""
    ended = [replica for replica in revision.replicas if not replica.is_live]
    culprit = next((r for r in reversed(ended) if r.end_seen and not r.stop_requested), None)
    if culprit is None and len(ended) < policy.crash_limit * revision.min_replicas + 1:
        yield from [AddReplica(revision.id)] * revision.missing
    else:
        yield _give_up(revision, view, (culprit or ended[-1]).reason)


def _launch_or_give_up(revision: RevisionView, view: DeploymentView, now: datetime, policy: Policy) -> Iterator[Action]:
    for replica in revision.live:
        if replica.observation.phase is Phase.ABSENT:
            yield Launch(revision.id, replica.id)
        elif _is_late(replica, now, policy):
            yield _give_up(revision, view, _too_late(replica, policy))
            return


def _give_up(revision: RevisionView, view: DeploymentView, reason: str) -> Action:
    """There is a way back when it is asked for and what serves answers; else it may be found later."""
    if revision.rollout and view.serving and view.serving.switched_at and view.serving.has_ready_replica():
        return Return(view.serving.id, revision.id, reason)
    return Fail(revision.id, reason)


def _too_late(replica: ReplicaView, policy: Policy) -> str:
    why = f": {replica.observation.reason}" if replica.observation.reason else ""
    return f"not ready after {policy.start.total_seconds():g} s{why}; see the deployment's logs"


# --- keeping the serving revision alive -------------------------------------------------------------------------------


def _keep_serving(serving: RevisionView, view: DeploymentView, now: datetime, policy: Policy) -> Iterator[Action]:
    if serving.switched_at is None:
        yield ConfirmSwitch(serving.id)
        return
    standby = [r for r in view.revisions if r.state is RevisionState.STANDBY]
    yield from (Release(revision.id) for revision in standby[:-1])
    before = standby[-1] if standby else None
    if before and before.has_ready_replica() and (why := why_give_way(serving, now, policy)) is not None:
        yield (Return if serving.rollout else SwitchBack)(before.id, serving.id, why)
        return
    if serving.has_ready_replica():
        yield from _settle(serving, before, view, now, policy)
    yield from _launch_or_replace(serving, now, policy)
    if serving.missing:
        yield from _mark_ailing(serving, view, now, policy)
        yield from _replace(serving, now, policy)


def _settle(
    serving: RevisionView, before: RevisionView | None, view: DeploymentView, now: datetime, policy: Policy
) -> Iterator[Action]:
    """What is to be done about the others while the serving revision answers."""
    newest = view.revisions[-1]
    if newest.state is RevisionState.FAILED and newest.rollout:
        yield Return(serving.id, newest.id, newest.reason)  # there was no way back when it failed
        return
    if before and serving.switched_at and now - serving.switched_at >= standby_time(serving, policy):
        yield Release(before.id)
    elif before and serving.rollout:
        yield from _launch_or_replace(before, now, policy)
        yield from _replace(before, now, policy)  # for as long as it may be needed
    yield from _recover(serving, view, now, policy)


def _recover(serving: RevisionView, view: DeploymentView, now: datetime, policy: Policy) -> Iterator[Action]:
    """A DEAD deployment whose newest revision serves and holds out is not dead."""
    if view.status is not Status.DEAD or serving.id != view.revisions[-1].id:
        return
    if any(r.ready_at and now - r.ready_at >= policy.standby for r in serving.live):
        yield MarkRecovered()


def _launch_or_replace(serving: RevisionView, now: datetime, policy: Policy) -> Iterator[Action]:
    silence = serving.silence or policy.silence
    for replica in serving.live:
        if replica.observation.phase is Phase.ABSENT:
            if serving.preparation.done:
                yield Launch(serving.id, replica.id)
            elif serving.preparation.may_begin:
                yield Prepare(serving.id)
        elif not replica.stop_requested and (replica.is_silent(now, silence) or _is_late(replica, now, policy)):
            yield StopReplica(replica.id)


def _is_late(replica: ReplicaView, now: datetime, policy: Policy) -> bool:
    """Whether it should have been ready by now."""
    return not replica.ready_at and now - replica.created_at > policy.start


def _mark_ailing(serving: RevisionView, view: DeploymentView, now: datetime, policy: Policy) -> Iterator[Action]:
    deaths = _deaths(serving, now, policy)
    often = _in_a_row(deaths, serving) >= policy.crash_limit
    if often and view.status is Status.RUNNING and not serving.has_ready_replica():
        yield MarkAiling(f"its replicas died {len(deaths)} times, the last time because: {serving.last_words}")


def _replace(revision: RevisionView, now: datetime, policy: Policy) -> Iterator[Action]:
    """Again and again, ever more slowly: what has served may serve again, and nobody else would bring it back."""
    deaths = _deaths(revision, now, policy)
    if not deaths or now - max(deaths) >= restart_delay(_in_a_row(deaths, revision) - 1):
        yield from [AddReplica(revision.id)] * revision.missing


def _deaths(revision: RevisionView, now: datetime, policy: Policy) -> list[datetime]:
    dead = (replica.ended_at for replica in revision.replicas if not replica.stop_requested)
    return [ended_at for ended_at in dead if ended_at and now - ended_at < policy.crash_window]


def _in_a_row(deaths: list[datetime], revision: RevisionView) -> int:
    """What takes one replica mostly takes the others, too."""
    return -(-len(deaths) // revision.min_replicas)


# --- ending -----------------------------------------------------------------------------------------------------------


def _end(view: DeploymentView, target: TargetStatus, now: datetime, policy: Policy) -> Iterator[Action]:
    if view.serving_revision_id or view.status in (Status.PENDING, Status.RUNNING):
        yield Unpublish()
        return
    for revision in view.revisions:
        if revision.state is RevisionState.STARTING:
            yield Release(revision.id)
        yield from _wind_down(revision, now, policy, keep=False)
    if not any(revision.live for revision in view.revisions):
        if target is TargetStatus.DELETED:
            yield Remove()
        elif view.status is not Status.STOPPED:
            yield MarkStopped()


def _wind_down(revision: RevisionView, now: datetime, policy: Policy, *, keep: bool) -> Iterator[Action]:
    """End what is left of a revision. The newest is kept: that it has failed is why the deployment is DEAD."""
    for replica in revision.replicas:
        if not replica.is_live and not replica.forgotten:
            yield ForgetReplica(replica.id)
        elif replica.is_live and replica.stop_requested and replica.observation.phase is not Phase.STOPPING:
            yield StopReplica(replica.id)  # recorded, but whoever recorded it may not have come to do it
    if revision.state not in (RevisionState.DRAINING, RevisionState.FAILED):
        return
    if not revision.live:
        if not keep:
            yield Retire(revision.id)
    elif revision.released_at is None or now - revision.released_at >= policy.drain:
        yield from (StopReplica(r.id) for r in revision.live if not r.stop_requested)
