"""Carries out what `mooring.domain.executions.plan` asks for: lease, act, record.

An execution at rest (over, or waiting for something that can run it) is in no list and costs no query.
"""

import logging
from dataclasses import dataclass

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from mooring.controllers.leases import Lease, LeaseLost, Leases
from mooring.domain import actions
from mooring.domain.executions import Action, ExecutionView, plan
from mooring.domain.lifecycle import Status, TargetStatus, has_ended
from mooring.store.database import Database
from mooring.store.tables import Execution
from mooring.store.types import utc_now

_ENDED = [status.value for status in Status if has_ended(status)]
_logger = logging.getLogger("mooring.controllers.executions")


@dataclass(frozen=True)
class ExecutionController:
    """Brings one execution at a time closer to what its owner wants."""

    database: Database
    leases: Leases[Execution]

    def all_ids(self) -> list[str]:
        """The executions for which `plan` has something to do."""
        new = Execution.status == Status.UNKNOWN.value
        to_remove = Execution.target_status == TargetStatus.DELETED.value
        to_stop = and_(
            Execution.target_status == TargetStatus.STOPPED.value,
            Execution.status.not_in(_ENDED),
        )
        with self.database.reading() as session:
            return list(session.scalars(select(Execution.id).where(or_(new, to_remove, to_stop))))

    def step(self, execution_id: str) -> bool:
        """Do all that can be done now. True when a later look will do, False when it should come soon."""
        with self.database.reading() as session:
            row = session.get(Execution, execution_id)
        if row is None:
            return True
        todo = plan(ExecutionView(Status(row.status), TargetStatus(row.target_status)))
        if not todo:
            return True
        lease = self.leases.take(execution_id, row.generation)
        if lease is None:
            return False
        try:
            for action in todo:
                self._carry_out(action, lease)
        except LeaseLost:
            return False  # its owner wants something else now: look again
        finally:
            self.leases.give_back(lease)
        return True

    def _carry_out(self, action: Action, lease: Lease) -> None:
        _logger.info("%s: %s", lease.object_id, action)
        with self.leases.recording(lease) as (session, execution):
            _record(action, session, execution)


def _record(action: Action, session: Session, execution: Execution) -> None:
    execution.modified_at = utc_now()
    match action:
        case actions.Tell(message):
            execution.status_message = message
        case actions.Accept():
            execution.status = Status.PENDING.value
        case actions.MarkStopped():
            execution.status, execution.status_message = Status.STOPPED.value, ""
            execution.completion_time = execution.modified_at
        case actions.Remove():
            session.delete(execution)
