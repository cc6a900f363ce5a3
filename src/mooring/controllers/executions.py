"""Carries out what `mooring.domain.executions.plan` asks for: lease, act, record.

An execution at rest (over, or waiting for its turn) is in no list and costs no query.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from mooring.controllers.execution_records import ExecutionRecords
from mooring.controllers.execution_views import ExecutionViewer
from mooring.controllers.job_discarding import JobDiscarding
from mooring.controllers.job_errands import JobErrands
from mooring.controllers.job_launch import JobLaunch
from mooring.controllers.job_preparation import JobPreparation
from mooring.controllers.job_storing import JobStoring
from mooring.controllers.job_workspaces import JobWorkspaces
from mooring.controllers.leases import Lease, LeaseLost, Leases
from mooring.domain import actions, execution_actions
from mooring.domain.execution_actions import ExecutionAction
from mooring.domain.execution_views import JobPolicy
from mooring.domain.executions import is_steady, plan
from mooring.domain.jobs import JobState
from mooring.errors import MooringError
from mooring.runtimes.base import Runtime
from mooring.store.tables import Execution
from mooring.store.types import utc_now
from mooring.store.vault import CannotOpen

_MOST_ROUNDS = 20
"""Rounds of planning in one step; an execution that is not through by then gets its next step soon."""
_IN_BACKGROUND = (execution_actions.PrepareJob, execution_actions.StoreJob, execution_actions.Discard)
_FREES_A_PLACE = (execution_actions.NoteExit, execution_actions.EndJob, execution_actions.Requeue)
_logger = logging.getLogger("mooring.controllers.executions")


@dataclass(frozen=True)
class JobTools:
    """What is done to jobs."""

    preparation: JobPreparation
    launch: JobLaunch
    storing: JobStoring
    discarding: JobDiscarding
    workspaces: JobWorkspaces
    errands: JobErrands


@dataclass(frozen=True)
class ExecutionController:
    """Brings one execution at a time closer to what its owner wants."""

    leases: Leases[Execution]
    viewer: ExecutionViewer
    runtime: Runtime
    records: ExecutionRecords
    tools: JobTools
    policy: JobPolicy
    on_free_place: Callable[[], None]
    """It may be somebody else's turn now."""

    def all_ids(self) -> list[str]:
        """The executions for which there may be something to do."""
        return self.viewer.all_ids()

    def step(self, execution_id: str) -> bool:
        """Do all that can be done now. True when a later look will do, False when it should come soon."""
        for _ in range(_MOST_ROUNDS):
            look = self.viewer.look(execution_id)
            if look is None:
                return True
            if not plan(look.view, utc_now(), self.policy):
                return is_steady(look.view, utc_now())
            lease = self.leases.take(execution_id, look.generation)
            if lease is None:
                return False
            try:
                todo = self._still_to_do(lease)
                for action in todo:
                    self._carry_out(action, lease)
            except LeaseLost:
                continue  # its owner wants something else now: look again
            finally:
                self.leases.give_back(lease)
            if any(isinstance(action, _FREES_A_PLACE) for action in todo):
                self.on_free_place()
            if all(isinstance(action, _IN_BACKGROUND) for action in todo):
                return True  # whoever is at work there says when it is done
        return False

    def _still_to_do(self, lease: Lease) -> Sequence[ExecutionAction]:
        """Decided anew: another control plane may have done it between our look and our lease."""
        look = self.viewer.look(lease.object_id)
        if look is None or look.generation != lease.generation:
            raise LeaseLost(lease.object_id)
        return plan(look.view, utc_now(), self.policy)

    def _carry_out(self, action: ExecutionAction, lease: Lease) -> None:  # noqa: C901 (one line per action)
        _logger.info("%s: %s", lease.object_id, _short(action))
        match action:
            case actions.Accept():
                self.records.accept(lease)
            case execution_actions.RecordJobs(orders):
                self.records.record_jobs(lease, orders)
            case execution_actions.PrepareJob(job_id):
                self.tools.errands.preparing.begin(job_id, partial(self.tools.preparation.prepare, job_id))
            case execution_actions.ClaimPlace(job_id):
                self._claim_place(lease, job_id)
            case execution_actions.LaunchJob(job_id):
                self._launch(lease, job_id)
            case execution_actions.StopJob(job_id, failure):
                self._stop(lease, job_id, failure)
            case execution_actions.NoteExit(job_id, exit_code):
                self.records.note_exit(lease, job_id, exit_code)
            case execution_actions.StoreJob(job_id):
                self.tools.errands.storing.begin(job_id, partial(self.tools.storing.store, job_id))
            case execution_actions.NoteStored(job_id):
                self._note_stored(lease, job_id)
            case execution_actions.EndJob():
                self._end(lease, action)
            case execution_actions.Requeue(job_id, counts):
                self.records.requeue(lease, job_id, counts=counts)
            case execution_actions.ClearJob(job_id):
                self._clear(job_id)
            case execution_actions.ForgetJob(job_id):
                self._forget(lease, job_id)
            case execution_actions.Describe(message, details):
                self.records.describe(lease, message, details)
            case execution_actions.Complete(outputs, details):
                self.records.complete(lease, outputs, details)
            case execution_actions.FailExecution(reason, details):
                self.records.fail(lease, reason, details)
            case execution_actions.Discard():
                errand = partial(self.tools.discarding.discard, lease.object_id)
                self.tools.errands.discarding.begin(lease.object_id, errand)
            case actions.MarkStopped():
                self.records.mark_stopped(lease)
            case actions.Remove():
                self._remove(lease)

    # --- one job -----------------------------------------------------------------------------------------------------

    def _claim_place(self, lease: Lease, job_id: str) -> None:
        image = self.tools.workspaces.prepared_image(job_id)
        if image is not None and self.records.claim_place(lease, job_id, image):
            self._launch(lease, job_id)

    def _launch(self, lease: Lease, job_id: str) -> None:
        image = self.records.image_of(lease, job_id)
        try:
            self.runtime.start(job_id, self.tools.launch.spec(job_id, image))
        except (OSError, ValueError, MooringError, CannotOpen) as error:
            reason = f"could not be started: {error}"
            self.records.end_job(lease, execution_actions.EndJob(job_id, JobState.ERROR, reason))

    def _stop(self, lease: Lease, job_id: str, failure: str) -> None:
        self.records.ask_to_stop(lease, job_id, failure)
        self.runtime.stop(job_id)

    def _note_stored(self, lease: Lease, job_id: str) -> None:
        result = self.tools.workspaces.stored_result(job_id)
        if result is not None:
            self.records.note_stored(lease, job_id, result)

    def _end(self, lease: Lease, action: execution_actions.EndJob) -> None:
        self.records.end_job(lease, action)
        self.tools.errands.forget(action.job_id)

    def _clear(self, job_id: str) -> None:
        """The folder first: with it gone and the rest still there, this is done again."""
        self.runtime.stop(job_id)
        self.tools.workspaces.remove(job_id)
        self.tools.errands.forget(job_id)
        self.runtime.forget(job_id)

    def _forget(self, lease: Lease, job_id: str) -> None:
        """What cannot be removed now, upkeep removes: nobody has to wait for it."""
        try:
            self.runtime.forget(job_id)
            self.tools.workspaces.remove(job_id)
        except OSError as error:
            _logger.warning("%s: not everything of %s could be removed yet: %s", lease.object_id, job_id, error)
        self.tools.errands.forget(job_id)
        self.records.note_forgotten(lease, job_id)

    def _remove(self, lease: Lease) -> None:
        for job_id in self.records.job_ids(lease):  # before the rows: they are what we know the logs by
            self.runtime.forget_logs(job_id)
        self.records.remove(lease)
        self.tools.errands.discarding.forget(lease.object_id)


def _short(action: ExecutionAction) -> str:
    """For the log: what a job is told may be long, and is its owner's affair."""
    match action:
        case execution_actions.RecordJobs(orders):
            return f"RecordJobs({', '.join(order.node for order in orders)})"
        case execution_actions.Describe(message, _):
            return f"Describe({message!r})"
        case execution_actions.Complete() | execution_actions.FailExecution():
            return type(action).__name__
        case _:
            return str(action)
