"""What is written down about an execution and its jobs, each in a transaction that checks the lease."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from mooring.controllers.job_queue import JobQueue
from mooring.controllers.job_storing import has_products
from mooring.controllers.last_words import LastWords
from mooring.controllers.leases import Lease, Leases
from mooring.domain.containers import from_json, to_json
from mooring.domain.execution_actions import EndJob
from mooring.domain.identifiers import new_job_id
from mooring.domain.jobs import JobOrder, JobState
from mooring.domain.lifecycle import LONGEST_STATUS_MESSAGE, Status
from mooring.services import execution_outputs
from mooring.store.tables import Execution, Job
from mooring.store.types import utc_now


@dataclass(frozen=True)
class ExecutionRecords:
    """All methods raise LeaseLost."""

    leases: Leases[Execution]
    queue: JobQueue
    last_words: LastWords

    # --- the execution -----------------------------------------------------------------------------------------------

    def accept(self, lease: Lease) -> None:
        with self.leases.recording(lease) as (_, execution):
            execution.status = Status.PENDING.value
            execution.submission_time = execution.modified_at = utc_now()

    def describe(self, lease: Lease, message: str, details: Mapping[str, Any]) -> None:
        with self.leases.recording(lease) as (_, execution):
            execution.status_message = _kept(message)[:LONGEST_STATUS_MESSAGE]
            execution.status_details = dict(details)
            execution.modified_at = utc_now()

    def complete(self, lease: Lease, outputs: Mapping[str, str], details: Mapping[str, Any]) -> None:
        with self.leases.recording(lease) as (session, execution):
            execution_outputs.register(session, execution, outputs)
            _close(execution, Status.COMPLETED, "", details)

    def fail(self, lease: Lease, reason: str, details: Mapping[str, Any]) -> None:
        with self.leases.recording(lease) as (_, execution):
            _close(execution, Status.DEAD, reason, details)

    def mark_stopped(self, lease: Lease) -> None:
        with self.leases.recording(lease) as (_, execution):
            _close(execution, Status.STOPPED, "", execution.status_details)

    def remove(self, lease: Lease) -> None:
        with self.leases.recording(lease) as (session, execution):
            session.delete(execution)

    # --- its jobs ----------------------------------------------------------------------------------------------------

    def record_jobs(self, lease: Lease, orders: Sequence[JobOrder]) -> None:
        with self.leases.recording(lease) as (session, execution):
            tries = select(Job.node, Job.attempt).where(Job.execution_id == execution.id)
            there = {(row.node, row.attempt) for row in session.execute(tries)}
            session.add_all(
                Job(
                    id=new_job_id(),
                    execution_id=execution.id,
                    node=order.node,
                    attempt=order.attempt,
                    order=to_json(order),
                    state=JobState.WAITING.value,
                )
                for order in orders
                if (order.node, order.attempt) not in there
            )

    def job_ids(self, lease: Lease) -> list[str]:
        with self.leases.recording(lease) as (session, execution):
            return list(session.scalars(select(Job.id).where(Job.execution_id == execution.id)))

    def image_of(self, lease: Lease, job_id: str) -> str:
        with self.leases.recording(lease) as (session, _):
            return session.get_one(Job, job_id).image or ""

    def claim_place(self, lease: Lease, job_id: str, image: str) -> bool:
        """Whether it has one now: nobody else can take it in the same moment."""
        with self.leases.recording(lease) as (session, execution):
            if job_id not in self.queue.look(session).free:
                return False
            job = session.get_one(Job, job_id)
            job.state, job.image, job.started_at = JobState.RUNNING.value, image, utc_now()
            if execution.status == Status.PENDING.value:
                execution.status, execution.status_message = Status.RUNNING.value, ""
                execution.start_time = execution.modified_at = job.started_at
        return True

    def ask_to_stop(self, lease: Lease, job_id: str, failure: str) -> None:
        with self.leases.recording(lease) as (session, _):
            job = session.get_one(Job, job_id)
            job.stop_requested_at = job.stop_requested_at or utc_now()
            job.reason = failure

    def note_exit(self, lease: Lease, job_id: str, exit_code: int) -> None:
        """It has ended well. What has made nothing has succeeded."""
        with self.leases.recording(lease) as (session, _):
            job = session.get_one(Job, job_id)
            done = not has_products(from_json(JobOrder, job.order))
            job.state = (JobState.SUCCEEDED if done else JobState.STORING).value
            job.exit_code, job.ended_at = exit_code, utc_now()

    def note_stored(self, lease: Lease, job_id: str, result: dict[str, Any]) -> None:
        with self.leases.recording(lease) as (session, _):
            job = session.get_one(Job, job_id)
            job.state, job.result = JobState.SUCCEEDED.value, result

    def end_job(self, lease: Lease, action: EndJob) -> None:
        """With what its program has said last, when it has failed."""
        reason = action.reason
        if action.state is JobState.FAILED and action.exit_code:
            reason = self.last_words.added_to(reason, action.exit_code, action.job_id)
        with self.leases.recording(lease) as (session, _):
            job = session.get_one(Job, action.job_id)
            job.state, job.reason, job.exit_code = action.state.value, _kept(reason), action.exit_code
            job.ended_at = job.ended_at or utc_now()

    def requeue(self, lease: Lease, job_id: str, *, counts: bool) -> None:
        with self.leases.recording(lease) as (session, _):
            job = session.get_one(Job, job_id)
            job.state, job.started_at, job.image = JobState.WAITING.value, None, None
            job.losses += counts

    def note_forgotten(self, lease: Lease, job_id: str) -> None:
        with self.leases.recording(lease) as (session, _):
            session.get_one(Job, job_id).forgotten = True


def _kept(words: str) -> str:
    """A program's or a server's words as every database keeps them: PostgreSQL takes no zero bytes."""
    return words.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _close(execution: Execution, status: Status, message: str, details: Mapping[str, Any]) -> None:
    execution.status, execution.status_message = status.value, _kept(message)[:LONGEST_STATUS_MESSAGE]
    execution.status_details = dict(details)
    execution.completion_time = execution.modified_at = utc_now()
