"""What an execution does next, as a table: what is seen → what is done."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mooring.domain.actions import Accept, MarkStopped, Remove
from mooring.domain.containers import Container
from mooring.domain.errands import Errand
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
from mooring.domain.executions import is_steady, plan
from mooring.domain.jobs import JobOrder, JobState, JobView, NodeFact, Progress
from mooring.domain.lifecycle import Status, TargetStatus
from mooring.domain.replicas import Observation, Phase

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = JobPolicy(patience=timedelta(seconds=60))
ORDER = JobOrder("main", 0, "main", Container("a", "starter"))
AWAY = "the store is away"
DONE = Errand(done=True, may_begin=False)
BUSY = Errand(may_begin=False)
LONG_AGO = NOW - timedelta(hours=1)


def seen(
    state: JobState,
    phase: Phase = Phase.ABSENT,
    *,
    reason: str = "",
    why: str = "",
    exit_code: int | None = None,
    asked: bool = False,
    **facts: Any,
) -> JobSight:
    """A job, and how the runtime sees it."""
    job = JobView("j1", "main", 0, state, reason=reason, started_at=NOW if state is JobState.RUNNING else None)
    return replace(JobSight(job, Observation(phase, 1, why, exit_code, asked)), **facts)


def ended(state: JobState, reason: str = "", exit_code: int | None = None) -> list[ExecutionAction]:
    return [EndJob("j1", state, reason, exit_code)]


LATE: dict[str, Any] = {"reason": "late", "exit_code": -15, "asked": True, "stop_requested": True}
HOPELESS, TROUBLED = Errand(trouble=AWAY, since=LONG_AGO), Errand(trouble=AWAY, since=NOW, may_begin=False)
WAITING, RUNNING, STORING = JobState.WAITING, JobState.RUNNING, JobState.STORING
TABLE: list[tuple[str, JobSight, Sequence[ExecutionAction]]] = [
    ("it is far from its turn", seen(WAITING, near=False, has_turn=False), []),
    ("it will soon have its turn", seen(WAITING, has_turn=False), [PrepareJob("j1")]),
    ("it is being prepared", seen(WAITING, preparation=BUSY), []),
    ("it is prepared, and others run", seen(WAITING, preparation=DONE, has_turn=False), []),
    ("it has its turn", seen(WAITING, preparation=DONE), [ClaimPlace("j1")]),
    ("a retry waits", seen(WAITING, preparation=DONE, not_before=NOW + timedelta(seconds=1)), []),
    ("a retry has waited", seen(WAITING, preparation=DONE, not_before=NOW), [ClaimPlace("j1")]),
    ("something of a lost try is left", seen(WAITING, Phase.EXITED, preparation=DONE), [ClearJob("j1")]),
    ("it cannot be prepared", seen(WAITING, preparation=Errand(failure="no image")), ended(JobState.ERROR, "no image")),
    ("it cannot be prepared yet", seen(WAITING, preparation=TROUBLED), []),
    ("it still cannot be", seen(WAITING, preparation=HOPELESS), ended(JobState.ERROR, AWAY)),
    ("it has a place, and nobody started it", seen(RUNNING), [LaunchJob("j1")]),
    ("it runs", seen(RUNNING, Phase.READY, seconds=10.0), []),
    ("it has ended well", seen(RUNNING, Phase.EXITED, exit_code=0), [NoteExit("j1", 0)]),
    ("it has failed", seen(RUNNING, Phase.EXITED, exit_code=3, why="x"), ended(JobState.FAILED, "x", 3)),
    ("it was lost", seen(RUNNING, Phase.EXITED, why="gone"), [Requeue("j1")]),
    (
        "it was lost too often",
        seen(RUNNING, Phase.EXITED, why="gone", losses=2),
        ended(JobState.ERROR, "was lost 3 times: gone"),
    ),
    ("the operator has ended it", seen(RUNNING, Phase.EXITED, exit_code=0, asked=True), [Requeue("j1", counts=False)]),
    (
        "its owner has ended it",
        seen(RUNNING, Phase.EXITED, exit_code=0, asked=True, stop_requested=True),
        ended(JobState.STOPPED, "", 0),
    ),
    ("it was ended for being late", seen(RUNNING, Phase.EXITED, **LATE), ended(JobState.FAILED, "late", -15)),
    ("its end was asked for, and nobody told it", seen(RUNNING, Phase.READY, stop_requested=True), [StopJob("j1")]),
    ("its end was asked for before its start", seen(RUNNING, stop_requested=True), ended(JobState.STOPPED)),
    ("it ends", seen(RUNNING, Phase.STOPPING, stop_requested=True), []),
    ("it is to be stored", seen(STORING), [StoreJob("j1")]),
    ("it is being stored", seen(STORING, storing=BUSY), []),
    ("it is stored", seen(STORING, storing=DONE), [NoteStored("j1")]),
    (
        "it has not kept its promise",
        seen(STORING, storing=Errand(failure="no model")),
        ended(JobState.FAILED, "no model"),
    ),
    ("it cannot be stored", seen(STORING, storing=HOPELESS), ended(JobState.ERROR, AWAY)),
    ("it is over", seen(JobState.SUCCEEDED), [ForgetJob("j1")]),
    ("nothing is left of it", seen(JobState.SUCCEEDED, forgotten=True), []),
]


@pytest.mark.parametrize(("what", "sight", "todo"), TABLE, ids=[row[0] for row in TABLE])
def test_each_job_takes_its_next_step(what: str, sight: JobSight, todo: Sequence[ExecutionAction]) -> None:
    view = ExecutionView(Status.RUNNING, TargetStatus.COMPLETED, jobs=(sight,))
    assert [each for each in plan(view, NOW, POLICY) if not isinstance(each, Describe)] == list(todo), what


def test_a_late_job_is_ended_and_told_why() -> None:
    sight = seen(RUNNING, Phase.READY, seconds=10.0)
    view = ExecutionView(Status.RUNNING, TargetStatus.COMPLETED, jobs=(sight,))
    assert plan(view, NOW + timedelta(seconds=11), POLICY) == [StopJob("j1", "took longer than 10 s")]


@pytest.mark.parametrize("status", Status)
def test_without_jobs_every_status_and_target_is_known(status: Status) -> None:
    over = status in (Status.COMPLETED, Status.DEAD, Status.STOPPED)
    to_run: list[ExecutionAction] = [Accept()] if status is Status.UNKNOWN else []
    assert plan(ExecutionView(status, TargetStatus.COMPLETED), NOW, POLICY) == ([] if over else to_run)
    assert plan(ExecutionView(status, TargetStatus.STOPPED), NOW, POLICY) == ([] if over else [MarkStopped()])
    assert plan(ExecutionView(status, TargetStatus.DELETED), NOW, POLICY) == [Remove()]


def test_what_was_made_for_steps_goes_before_the_execution() -> None:
    view = ExecutionView(Status.COMPLETED, TargetStatus.DELETED, discarding=Errand())
    assert plan(view, NOW, POLICY) == [Discard()]
    assert plan(replace(view, discarding=BUSY), NOW, POLICY) == []
    assert plan(replace(view, discarding=TROUBLED), NOW, POLICY) == []
    assert plan(replace(view, discarding=TROUBLED), NOW + timedelta(seconds=61), POLICY) == [Remove()]


@pytest.mark.parametrize(
    ("sight", "todo"),
    [
        (seen(WAITING), ended(JobState.STOPPED)),
        (seen(RUNNING, Phase.READY), [StopJob("j1")]),
        (seen(RUNNING, Phase.STOPPING, stop_requested=True), []),
        (seen(STORING, storing=BUSY), ended(JobState.STOPPED)),
        (seen(JobState.STOPPED), [ForgetJob("j1")]),
    ],
)
def test_an_end_takes_all_jobs_with_it(sight: JobSight, todo: Sequence[ExecutionAction]) -> None:
    stopped = ExecutionView(Status.RUNNING, TargetStatus.STOPPED, jobs=(sight,))
    late = ExecutionView(Status.RUNNING, TargetStatus.COMPLETED, jobs=(sight,), started_at=LONG_AGO, seconds=9)
    needless = ExecutionView(Status.RUNNING, TargetStatus.COMPLETED, Progress(stop=("j1",), over=False), (sight,))
    for view in (stopped, late, needless):
        assert plan(view, NOW, POLICY) == list(todo)


@pytest.mark.parametrize(
    ("own", "operators", "reason"),
    [
        (None, None, ""),
        (None, 60, ""),
        (60, 9, ""),
        (9, None, "took longer than 9 s"),
        (9, 60, "took longer than 9 s"),
        (
            None,
            9,
            "took longer than 9 s (setting execution_seconds; activeDeadlineSeconds of the workflow's own spec counts "
            "instead)",
        ),
    ],
)
def test_the_workflows_own_limit_counts_and_else_the_operators(
    own: float | None, operators: float | None, reason: str
) -> None:
    view = ExecutionView(Status.RUNNING, TargetStatus.COMPLETED, started_at=NOW - timedelta(seconds=10), seconds=own)
    policy = replace(POLICY, execution_seconds=operators)
    assert plan(view, NOW, policy) == ([FailExecution(reason, {})] if reason else [])


def test_the_last_thing_is_done_when_nothing_is_left() -> None:
    rest = (seen(JobState.STOPPED, forgotten=True),)
    late = ExecutionView(Status.RUNNING, TargetStatus.COMPLETED, jobs=rest, started_at=LONG_AGO, seconds=9)
    assert plan(late, NOW, POLICY) == [FailExecution("took longer than 9 s", {})]
    stopped = ExecutionView(Status.RUNNING, TargetStatus.STOPPED, jobs=rest)
    assert plan(stopped, NOW, POLICY) == [MarkStopped()]
    good = Progress(over=True, outputs={"model": "ai://default/e/model"})
    assert plan(ExecutionView(Status.RUNNING, TargetStatus.COMPLETED, good, rest), NOW, POLICY) == [
        Complete({"model": "ai://default/e/model"}, {})
    ]
    bad = Progress(over=True, failure="main: x")
    assert plan(ExecutionView(Status.PENDING, TargetStatus.COMPLETED, bad), NOW, POLICY) == [
        FailExecution("main: x", {})
    ]


def test_jobs_are_recorded_when_the_workflow_wants_them() -> None:
    view = ExecutionView(Status.PENDING, TargetStatus.COMPLETED, Progress(begin=(ORDER,)))
    assert plan(view, NOW, POLICY) == [RecordJobs((ORDER,))]


@pytest.mark.parametrize(
    ("sight", "message"),
    [
        (seen(WAITING, near=False, has_turn=False), "in the queue"),
        (seen(WAITING, preparation=DONE, has_turn=False), "in the queue"),
        (seen(WAITING, preparation=TROUBLED), AWAY),
        (seen(STORING, storing=TROUBLED), AWAY),
        (seen(WAITING, preparation=replace(BUSY, begun=LONG_AGO)), "prepares its image and its inputs"),
        (seen(WAITING, preparation=replace(BUSY, begun=NOW)), ""),
        (seen(RUNNING, Phase.READY), ""),
    ],
)
def test_it_says_what_it_waits_for(sight: JobSight, message: str) -> None:
    view = ExecutionView(
        Status.PENDING, TargetStatus.COMPLETED, jobs=(sight,), status_message="?", queue="in the queue"
    )
    assert plan(view, NOW, POLICY) == [Describe(message, {})]
    assert plan(replace(view, status_message=message), NOW, POLICY) == []


def test_the_details_show_each_node_and_the_exit_code_of_its_last_try() -> None:
    jobs = tuple(
        JobSight(JobView(f"j{n}", "main", n, JobState.FAILED, exit_code=n + 3), forgotten=True) for n in range(2)
    )
    nodes = (NodeFact("main", "main", "Failed", "x"), NodeFact("other", "t", "Omitted"))
    view = ExecutionView(Status.RUNNING, TargetStatus.COMPLETED, Progress(nodes=nodes), jobs)
    assert view.details == {
        "nodes": [
            {"node": "main", "template": "main", "phase": "Failed", "message": "x", "exitCode": 4},
            {"node": "other", "template": "t", "phase": "Omitted"},
        ]
    }


def test_only_what_has_just_begun_or_ends_is_watched_closely() -> None:
    def steady(sight: JobSight, now: datetime = NOW) -> bool:
        return is_steady(ExecutionView(Status.RUNNING, TargetStatus.COMPLETED, jobs=(sight,)), now)

    young = seen(RUNNING, Phase.READY)
    assert (steady(young), steady(young, NOW + timedelta(seconds=11))) == (False, True)
    assert not steady(seen(RUNNING, Phase.STOPPING, stop_requested=True), NOW + timedelta(seconds=11))
    assert steady(seen(WAITING, has_turn=False))
