"""What an execution needs next: a pure function from what is seen to a list of small actions, as for deployments.

What its workflow needs (`mooring.workflows`) is a part of what is seen. The journey of a job, as actions: `RecordJobs`,
`PrepareJob`, `ClaimPlace` (it counts as running from here on), `LaunchJob`, `NoteExit`, `StoreJob`, `NoteStored`,
`ForgetJob`. A job that vanishes through no fault of its own takes the way back: `Requeue`, `ClearJob`.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from mooring.domain.actions import Accept, MarkStopped, Remove
from mooring.domain.execution_actions import (
    ClaimPlace,
    ClearJob,
    Complete,
    Describe,
    Discard,
    EndJob,
    ExecutionAction,
    FailExecution,
    ForgetJob,
    LaunchJob,
    NoteExit,
    NoteStored,
    PrepareJob,
    RecordJobs,
    Requeue,
    StopJob,
    StoreJob,
)
from mooring.domain.execution_views import ExecutionView, JobPolicy, JobSight
from mooring.domain.jobs import JobState
from mooring.domain.lifecycle import Status, TargetStatus, has_ended
from mooring.domain.replicas import Phase

_WORTH_TELLING = timedelta(seconds=2)
_YOUNG_SECONDS = 10.0
"""A job that has run for longer will not mind that its end is noticed half a second later."""


def plan(view: ExecutionView, now: datetime, policy: JobPolicy) -> list[ExecutionAction]:
    """What to do now; an empty list when there is nothing (yet). Each action can be repeated harmlessly."""
    facts = [fact for sight in view.jobs for fact in _new_facts(sight, now, policy)]
    if facts:
        return facts  # record what is seen before deciding on it
    if view.target is TargetStatus.DELETED:
        return _wind_up(view, _remove(view, now, policy))
    if has_ended(view.status):
        return []
    if view.target is TargetStatus.STOPPED:
        return _wind_up(view, [MarkStopped()])
    if view.status is Status.UNKNOWN:
        return [Accept()]
    lateness = view.lateness(now, policy)
    if lateness:
        return _wind_up(view, [FailExecution(lateness, view.details)])
    return list(_run(view, now))


def is_steady(view: ExecutionView, now: datetime) -> bool:
    """Whether a later look will do. (Work in the background announces its end by itself.)"""
    return not any(_is_moving(sight, now) for sight in view.jobs)


def _is_moving(sight: JobSight, now: datetime) -> bool:
    if sight.state is not JobState.RUNNING:
        return False
    started = sight.job.started_at or now
    return sight.stop_requested or (now - started).total_seconds() < _YOUNG_SECONDS


# --- what has happened ------------------------------------------------------------------------------------------------


def _new_facts(sight: JobSight, now: datetime, policy: JobPolicy) -> Iterator[ExecutionAction]:
    match sight.state:
        case JobState.WAITING if not sight.stop_requested:
            reason = sight.preparation.hopeless(now, policy.patience)
            if reason is not None:
                yield EndJob(sight.id, JobState.ERROR, reason)
        case JobState.RUNNING if sight.observation.phase is Phase.EXITED:
            yield _after_its_end(sight, policy)
        case JobState.RUNNING if sight.observation.phase is Phase.ABSENT and sight.stop_requested:
            yield _ended_as_asked(sight)
        case JobState.STORING:
            reason = sight.storing.hopeless(now, policy.patience)
            if sight.storing.done:
                yield NoteStored(sight.id)
            elif reason is not None:
                state = JobState.ERROR if sight.storing.failure is None else JobState.FAILED
                yield EndJob(sight.id, state, reason, sight.job.exit_code)


def _after_its_end(sight: JobSight, policy: JobPolicy) -> ExecutionAction:
    seen = sight.observation
    if sight.stop_requested:
        return _ended_as_asked(sight)
    if seen.asked:  # `mooring down` has ended it, not its owner
        return Requeue(sight.id, counts=False)
    if seen.exit_code is None:
        if sight.losses < policy.most_losses:
            return Requeue(sight.id)
        return EndJob(sight.id, JobState.ERROR, f"was lost {sight.losses + 1} times: {seen.reason}")
    if seen.exit_code == 0:
        return NoteExit(sight.id, 0)
    return EndJob(sight.id, JobState.FAILED, seen.reason, seen.exit_code)


def _ended_as_asked(sight: JobSight) -> ExecutionAction:
    """A reason that was given with the wish makes it a failure."""
    state = JobState.FAILED if sight.job.reason else JobState.STOPPED
    return EndJob(sight.id, state, sight.job.reason, sight.observation.exit_code)


# --- running ----------------------------------------------------------------------------------------------------------


def _run(view: ExecutionView, now: datetime) -> Iterator[ExecutionAction]:
    progress = view.progress
    if progress.begin:
        yield RecordJobs(progress.begin)
    for sight in view.jobs:
        if sight.id in progress.stop and not sight.has_ended:
            yield from _stop(sight)
        else:
            yield from _bring_on(sight, now)
    if progress.over and all(sight.forgotten for sight in view.jobs):
        yield _finish(view)
    elif not (progress.over or progress.begin):  # else it is about to change again
        yield from _describe(view, now)


def _describe(view: ExecutionView, now: datetime) -> Iterator[ExecutionAction]:
    message = _message(view, now)
    if (message, view.details) != (view.status_message, dict(view.status_details)):
        yield Describe(message, view.details)


def _bring_on(sight: JobSight, now: datetime) -> Iterator[ExecutionAction]:
    match sight.state:
        case JobState.WAITING:
            yield from _towards_its_start(sight, now)
        case JobState.RUNNING:
            yield from _while_it_runs(sight, now)
        case JobState.STORING:
            if sight.storing.may_begin:
                yield StoreJob(sight.id)
        case _:
            if not sight.forgotten:
                yield ForgetJob(sight.id)


def _towards_its_start(sight: JobSight, now: datetime) -> Iterator[ExecutionAction]:
    if sight.observation.phase is not Phase.ABSENT:
        yield ClearJob(sight.id)
    elif sight.not_before is not None and now < sight.not_before:
        return
    elif sight.preparation.done:
        if sight.has_turn:
            yield ClaimPlace(sight.id)
    elif sight.near and sight.preparation.may_begin:
        yield PrepareJob(sight.id)


def _while_it_runs(sight: JobSight, now: datetime) -> Iterator[ExecutionAction]:
    phase = sight.observation.phase
    if phase is Phase.ABSENT:
        yield LaunchJob(sight.id)  # it has its place, but whoever has taken it for it did not come to start it
    elif sight.stop_requested:
        if phase is not Phase.STOPPING:
            yield StopJob(sight.id, sight.job.reason)  # recorded, but not done
    elif sight.is_late(now):
        yield StopJob(sight.id, f"took longer than {sight.seconds:g} s")


def _finish(view: ExecutionView) -> ExecutionAction:
    progress = view.progress
    if progress.failure:
        return FailExecution(progress.failure, view.details)
    return Complete(progress.outputs, view.details)


def _message(view: ExecutionView, now: datetime) -> str:
    """What is being waited for, if there is something to be said."""
    live = [sight for sight in view.jobs if not sight.has_ended]
    troubles = [trouble for sight in live for trouble in (sight.preparation.trouble, sight.storing.trouble) if trouble]
    if troubles:
        return troubles[0]
    if any(sight.state is not JobState.WAITING for sight in live):
        return ""
    if any(_takes_long_to_prepare(sight, now) for sight in live):
        return "prepares its image and its inputs"
    return view.queue if any(_waits_for_others(sight) for sight in live) else ""


def _takes_long_to_prepare(sight: JobSight, now: datetime) -> bool:
    begun = sight.preparation.begun
    return begun is not None and now - begun > _WORTH_TELLING


def _waits_for_others(sight: JobSight) -> bool:
    return not sight.near or (sight.preparation.done and not sight.has_turn)


# --- ending -----------------------------------------------------------------------------------------------------------


def _wind_up(view: ExecutionView, last: list[ExecutionAction]) -> list[ExecutionAction]:
    """End all jobs, remove what is left of them, and do the last thing then."""
    if all(sight.forgotten for sight in view.jobs):
        return last
    return [action for sight in view.jobs for action in _end(sight)]


def _end(sight: JobSight) -> Iterator[ExecutionAction]:
    if sight.has_ended:
        if not sight.forgotten:
            yield ForgetJob(sight.id)
    else:
        yield from _stop(sight)


def _stop(sight: JobSight) -> Iterator[ExecutionAction]:
    if sight.state is not JobState.RUNNING:
        yield EndJob(sight.id, JobState.STOPPED)
    elif not sight.stop_requested or sight.observation.phase is not Phase.STOPPING:
        yield StopJob(sight.id, sight.job.reason)


def _remove(view: ExecutionView, now: datetime, policy: JobPolicy) -> list[ExecutionAction]:
    if view.discarding.done or view.discarding.hopeless(now, policy.patience) is not None:
        return [Remove()]
    return [Discard()] if view.discarding.may_begin else []
