"""What a client can change about an execution. Each change grows `generation`, so that a controller notices."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy.orm import Session

from mooring.domain.lifecycle import Operation, Status, TargetStatus, changes_nothing, refusal
from mooring.errors import PreconditionFailed
from mooring.services import bulk, executions
from mooring.services.bulk import Outcome, Wish
from mooring.store.tables import Execution
from mooring.store.types import utc_now

_OPERATIONS = {
    TargetStatus.STOPPED: (Operation.STOP, "stop"),
    TargetStatus.DELETED: (Operation.DELETE_EXECUTION, "delete"),
}


def stop(session: Session, group: str, execution_id: str) -> None:
    """Ask for its end. Final. Asking again changes nothing. Raises NotFound, PreconditionFailed."""
    _retarget(executions.get(session, group, execution_id, to_change=True), TargetStatus.STOPPED)


def delete(session: Session, group: str, execution_id: str) -> None:
    """Ask for its removal, which a controller does; what it has made and measured stays. Asking again changes nothing.

    Raises NotFound, PreconditionFailed.
    """
    _retarget(executions.get(session, group, execution_id, to_change=True), TargetStatus.DELETED)


def change_many(session: Session, group: str, wishes: Sequence[Wish]) -> list[Outcome]:
    """Stop or delete many; each is accepted or refused by itself. In the order of the wishes."""
    found = executions.find_many(session, group, [wish.id for wish in wishes], to_change=True)
    return bulk.change_each(wishes, found, change=_retarget, not_found=partial(executions.not_found, group))


def _retarget(execution: Execution, target: TargetStatus) -> None:
    operation, word = _OPERATIONS[target]
    status, wanted = Status(execution.status), TargetStatus(execution.target_status)
    if changes_nothing(operation, status, wanted):
        return
    refused = refusal(operation, status, wanted)
    if refused is not None:
        raise PreconditionFailed(f"cannot {word} the execution {execution.id!r}{refused}")
    execution.target_status = target.value
    execution.generation += 1
    execution.modified_at = utc_now()
