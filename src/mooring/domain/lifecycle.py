"""The state machine of executions and deployments: which operation is allowed in which status (AI API, section 4)."""

from enum import Enum


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


def is_allowed(operation: Operation, status: Status) -> bool:
    """Whether an object in this status takes this operation."""
    return status in _ALLOWED[operation]


def statuses_that_allow(operation: Operation) -> list[str]:
    """The names of the statuses that take this operation, for messages."""
    return sorted(status.value for status in _ALLOWED[operation])
