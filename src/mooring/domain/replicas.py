"""What can be seen of a replica."""

from dataclasses import dataclass
from enum import Enum


class Phase(Enum):
    """Where a replica stands."""

    ABSENT = "absent"  # never started, or forgotten
    STARTING = "starting"  # runs, not ready yet
    READY = "ready"
    STOPPING = "stopping"  # asked to end, still runs
    EXITED = "exited"


@dataclass(frozen=True)
class Observation:
    """A replica at one moment.

    `reason` says in words why it ended, or why it is not ready yet. `exit_code` is negative for a signal, and None
    when nobody saw the end.

    `asked`: it was asked to end, so that its end is no death.
    """

    phase: Phase
    pid: int | None = None
    reason: str = ""
    exit_code: int | None = None
    asked: bool = False
