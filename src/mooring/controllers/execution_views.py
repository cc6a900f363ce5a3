"""An execution as the decisions see it: rows of the store, its workflow's needs, and what the runtime observes."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session, defer, selectinload

from mooring.controllers.job_errands import JobErrands
from mooring.controllers.job_queue import JobQueue, Turns
from mooring.controllers.job_workspaces import JobWorkspaces
from mooring.controllers.last_words import without_permissions
from mooring.domain.containers import from_json
from mooring.domain.errands import Errand
from mooring.domain.execution_views import ExecutionView, JobSight
from mooring.domain.jobs import ENDED, JobOrder, JobResult, JobState, JobView, Progress
from mooring.domain.lifecycle import Status, TargetStatus, has_ended
from mooring.domain.replicas import Observation, Phase
from mooring.runtimes.base import Runtime
from mooring.store.database import Database
from mooring.store.tables import Execution, Job
from mooring.store.types import utc_now
from mooring.templates.errors import TemplateError
from mooring.workflows.walk import walk
from mooring.workflows.workflow import Workflow

_ENDED = [status.value for status in Status if has_ended(status)]
_LIVE_JOBS = [state.value for state in JobState if state not in ENDED]
_AT_WORK = [JobState.RUNNING.value, JobState.STORING.value]
_logger = logging.getLogger("mooring.controllers.execution_views")


@dataclass(frozen=True)
class Look:
    """A view, and the generation of the execution that it shows."""

    view: ExecutionView
    generation: int


@dataclass(frozen=True)
class ExecutionViewer:
    """Looks at executions."""

    database: Database
    runtime: Runtime
    workspaces: JobWorkspaces
    errands: JobErrands
    queue: JobQueue

    def all_ids(self) -> list[str]:
        """Those that may need something. One that only waits for its turn, and one that has ended, does not."""
        with self.database.reading() as session:
            statement = select(Execution.id).where(or_(*_conditions(self.queue.look(session), self.queue.words)))
            return list(session.scalars(statement.order_by(Execution.created_at, Execution.id)))

    def look(self, execution_id: str) -> Look | None:
        """The execution now; None when it has been removed. Observing happens outside of any transaction."""
        with self.database.reading() as session:
            row = session.get(Execution, execution_id, options=[selectinload(Execution.jobs).options(defer(Job.order))])
            if row is None:
                return None
            waits = any(job.state == JobState.WAITING.value for job in row.jobs)
            turns = self.queue.look(session) if waits else Turns()
            orders = _orders(session, execution_id, turns.near)
        jobs = tuple(self._sight(job, orders.get(job.id), turns) for job in row.jobs)
        view = ExecutionView(
            status=Status(row.status),
            target=TargetStatus(row.target_status),
            jobs=jobs,
            status_message=row.status_message,
            status_details=row.status_details,
            started_at=row.start_time,
            queue=self.queue.words,
            discarding=self._discarding(row),
        )
        return Look(_with_progress(view, row), row.generation)

    def _sight(self, row: Job, order: JobOrder | None, turns: Turns) -> JobSight:
        near = row.id in turns.near
        state = JobState(row.state)
        return JobSight(
            job=_job_view(row, state),
            observation=self._observe(row.id, state, near=near),
            preparation=self._preparation(row.id) if near else Errand(may_begin=False),
            storing=self._storing(row.id) if state is JobState.STORING else Errand(),
            near=near,
            has_turn=row.id in turns.free,
            seconds=order.seconds if order else None,
            not_before=order.not_before if order else None,
            stop_requested=row.stop_requested_at is not None,
            losses=row.losses,
            forgotten=row.forgotten,
        )

    def _observe(self, job_id: str, state: JobState, *, near: bool) -> Observation:
        if state is JobState.RUNNING or (state is JobState.WAITING and near):
            seen = self.runtime.observe(job_id)
            return replace(seen, reason=without_permissions(seen.reason))
        return Observation(Phase.ABSENT)

    def _preparation(self, job_id: str) -> Errand:
        state = self.errands.preparing.state(job_id)
        return replace(state, done=self.workspaces.prepared_image(job_id) is not None)

    def _storing(self, job_id: str) -> Errand:
        state = self.errands.storing.state(job_id)
        return replace(state, done=self.workspaces.stored_result(job_id) is not None)

    def _discarding(self, row: Execution) -> Errand:
        made_something = any(job.result.get("artifacts") for job in row.jobs)
        return self.errands.discarding.state(row.id) if made_something else Errand(done=True)


def result_of(document: Mapping[str, object]) -> JobResult:
    """As the store keeps it."""
    return from_json(JobResult, document)


def _conditions(turns: Turns, words: str) -> Sequence[ColumnElement[bool]]:
    """What is prepared waits in silence, once that is said: whoever leaves a place wakes all."""
    runs = Execution.status == Status.RUNNING.value
    has_live_jobs = exists().where(Job.execution_id == Execution.id, Job.state.in_(_LIVE_JOBS))
    pending = Execution.status == Status.PENDING.value
    return (
        Execution.status == Status.UNKNOWN.value,
        Execution.target_status == TargetStatus.DELETED.value,
        and_(Execution.target_status == TargetStatus.STOPPED.value, Execution.status.not_in(_ENDED)),
        runs,
        and_(pending, or_(Execution.id.in_(turns.restless), ~has_live_jobs)),
        and_(pending, Execution.id.in_(turns.executions), Execution.status_message != words),
    )


def _orders(session: Session, execution_id: str, near: frozenset[str]) -> dict[str, JobOrder]:
    """Of the jobs that something is done with: nobody asks for the others', and there may be many."""
    is_at_work = or_(Job.state.in_(_AT_WORK), Job.id.in_(near))
    query = select(Job.id, Job.order).where(Job.execution_id == execution_id, is_at_work)
    return {row.id: from_json(JobOrder, row.order) for row in session.execute(query)}


def _job_view(row: Job, state: JobState) -> JobView:
    return JobView(
        id=row.id,
        node=row.node,
        attempt=row.attempt,
        state=state,
        exit_code=row.exit_code,
        reason=row.reason,
        started_at=row.started_at,
        ended_at=row.ended_at,
        result=result_of(row.result),
    )


def _with_progress(view: ExecutionView, row: Execution) -> ExecutionView:
    """With what its workflow needs, while that matters."""
    if view.status not in (Status.PENDING, Status.RUNNING) or view.target is not TargetStatus.COMPLETED:
        return view
    if not row.workflow.get("body"):
        return replace(view, progress=_broken("there is nothing to run: it was made before executions could run"))
    now = utc_now()
    try:
        workflow = Workflow.from_json(row.id, row.workflow, created_at=row.created_at, group=row.resource_group)
        progress = walk(workflow, [sight.job for sight in view.jobs], now)
        return replace(view, progress=progress, seconds=workflow.deadline_seconds)
    except (TemplateError, ValueError, KeyError) as error:
        return replace(view, progress=_stopping(view, _broken(f"the workflow cannot be run: {error}")))


def _broken(reason: str) -> Progress:
    return Progress(over=True, failure=reason)


def _stopping(view: ExecutionView, progress: Progress) -> Progress:
    """What runs of it is pointless."""
    return replace(progress, stop=tuple(sight.id for sight in view.jobs if not sight.has_ended))
