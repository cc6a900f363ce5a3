"""How repositories and applications say what became of them, in the words that clients can parse."""

from enum import Enum


class RepositoryStatus(Enum):
    """Whether a repository can be read."""

    IN_PROGRESS = "IN-PROGRESS"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"


class SyncStatus(Enum):
    """Whether what an application's folder holds is what is in use."""

    SYNCED = "Synced"
    OUT_OF_SYNC = "OutOfSync"
    UNKNOWN = "Unknown"


class HealthStatus(Enum):
    """Whether an application's templates work."""

    HEALTHY = "Healthy"
    UNKNOWN = "Unknown"
