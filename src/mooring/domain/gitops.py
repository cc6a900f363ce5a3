"""Repositories and applications: who reads them, and in which words clients are told what became of them."""

from dataclasses import dataclass, field
from enum import Enum

_KEY_BEGINS = "-----BEGIN "


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


def is_private_key(password: str) -> bool:
    """Whether it is one for ssh (PEM), and not a word."""
    return password.lstrip().startswith(_KEY_BEGINS)


@dataclass(frozen=True)
class Credentials:
    """What git is told when a repository asks who wants to read it. For ssh, `password` is the private key (PEM)."""

    username: str
    password: str = field(repr=False)
