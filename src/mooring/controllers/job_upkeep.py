"""What is left of jobs that nobody knows any more, or that another control plane has brought to an end."""

import logging
from dataclasses import dataclass

from sqlalchemy import select

from mooring.controllers.job_errands import JobErrands
from mooring.controllers.job_workspaces import JobWorkspaces
from mooring.domain.lifecycle import TargetStatus
from mooring.runtimes.base import Runtime
from mooring.store.database import Database
from mooring.store.tables import Execution, Job, Replica

_AT_ONCE = 500
_logger = logging.getLogger("mooring.controllers.job_upkeep")


@dataclass(frozen=True)
class JobUpkeep:
    """Tidies up behind executions."""

    database: Database
    runtime: Runtime
    workspaces: JobWorkspaces
    errands: JobErrands

    def tidy(self) -> None:
        """Remove the folders of jobs that are over or gone, logs without a row, and what is known of old errands."""
        there = self.workspaces.job_ids()  # before the query: a job's row is there before its folder
        with self.database.reading() as session:
            known = set(session.scalars(select(Job.id).where(Job.forgotten.is_(False))))
            is_leaving = Execution.target_status == TargetStatus.DELETED.value
            leaving = set(session.scalars(select(Execution.id).where(is_leaving)))
        for job_id in there - known:
            try:
                self.workspaces.remove(job_id)
            except OSError as error:
                _logger.warning("cannot remove what is left of the job %s: %s", job_id, error)
        self.errands.preparing.forget_all_but(known)
        self.errands.storing.forget_all_but(known)
        self.errands.discarding.forget_all_but(leaving)
        self._forget_logs()

    def _forget_logs(self) -> None:
        """Of jobs whose execution went with its resource group; of replicas, too, should there be any."""
        logged = self.runtime.logged()
        for first in range(0, len(logged), _AT_ONCE):
            some = logged[first : first + _AT_ONCE]
            with self.database.reading() as session:
                jobs = set(session.scalars(select(Job.id).where(Job.id.in_(some))))
                replicas = set(session.scalars(select(Replica.id).where(Replica.id.in_(some))))
            for run_id in set(some) - jobs - replicas:
                self.runtime.forget_logs(run_id)
