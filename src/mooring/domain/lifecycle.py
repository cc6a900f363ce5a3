"""The state machine of executions and deployments: which operation is allowed in which status (AI API, section 4)."""

from enum import Enum

LONGEST_STATUS_MESSAGE = 256
"""Characters of a `statusMessage` (section 2)."""


class Status(Enum):
    """The seven statuses that clients can parse; there are no others."""

    UNKNOWN = "UNKNOWN"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    DEAD = "DEAD"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"


class TargetStatus(Enum):
    """What the owner of an execution or a deployment asked for."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    STOPPED = "STOPPED"
    DELETED = "DELETED"


class LastOperation(Enum):
    """What was last asked of a deployment."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    CASCADE_UPDATE = "CASCADE-UPDATE"


class Operation(Enum):
    """What a client can ask of an object that exists."""

    STOP = "stop"
    DELETE_EXECUTION = "delete the execution"
    DELETE_DEPLOYMENT = "delete the deployment"
    CHANGE_CONFIGURATION = "change the configuration"


_ENDED = frozenset({Status.UNKNOWN, Status.DEAD, Status.STOPPED})
_ALLOWED: dict[Operation, frozenset[Status]] = {
    Operation.STOP: frozenset({Status.PENDING, Status.RUNNING}),
    Operation.DELETE_EXECUTION: _ENDED | {Status.COMPLETED},
    Operation.DELETE_DEPLOYMENT: _ENDED,
    Operation.CHANGE_CONFIGURATION: frozenset({Status.PENDING, Status.RUNNING, Status.DEAD}),
}


_DELETIONS = frozenset({Operation.DELETE_EXECUTION, Operation.DELETE_DEPLOYMENT})
_TARGETS = {
    Operation.STOP: TargetStatus.STOPPED,
    Operation.DELETE_EXECUTION: TargetStatus.DELETED,
    Operation.DELETE_DEPLOYMENT: TargetStatus.DELETED,
}
_FINAL = frozenset({TargetStatus.STOPPED, TargetStatus.DELETED})
_OVER = frozenset({Status.COMPLETED, Status.DEAD, Status.STOPPED})


def is_allowed(operation: Operation, status: Status) -> bool:
    """Whether an object in this status takes this operation."""
    return status in _ALLOWED[operation]


def changes_nothing(operation: Operation, status: Status, target: TargetStatus) -> bool:
    """Whether this was asked for before and is under way: that is no error. Once done, it cannot be asked again."""
    return target is _TARGETS.get(operation) and is_allowed(operation, status)


def has_ended(status: Status) -> bool:
    """Whether an execution in this status is over."""
    return status in _OVER


def refusal(operation: Operation, status: Status, target: TargetStatus) -> str | None:
    """Why an object does not take this operation, in words that follow its name; None when it does.

    What was asked for before and is under way is not asked about here (`changes_nothing`).
    """
    if target in _FINAL and operation not in _DELETIONS:
        return f": its targetStatus is {target.value}, which is final. Create another one"
    if not is_allowed(operation, status):
        allowed = ", ".join(sorted(each.value for each in _ALLOWED[operation]))
        return f" in status {status.value}: it has to be one of {allowed}"
    return None
