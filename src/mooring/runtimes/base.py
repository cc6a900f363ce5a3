"""What a runtime promises to the controllers: start, observe, stop and forget replicas.

Every call is short and idempotent, so that a controller may die between any two of them. A replica outlives the
control plane; what a runtime knows about it lies on disk (or in the cluster), never only in memory.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from mooring.domain.replicas import Observation as Observation
from mooring.domain.replicas import Phase as Phase


@dataclass(frozen=True)
class Limits:
    """What one replica may use. `memory_bytes` counts the resident memory of all its processes; None means no limit.

    Pages that several processes share count once, in shares.
    """

    memory_bytes: int | None = None
    open_files: int = 4096


@dataclass(frozen=True)
class ReplicaSpec:
    """One replica as the runtime needs it.

    `argv` is the program; the word `{socket}` inside an argument is replaced by the path of the unix socket on which
    the replica has to listen (HTTP/1.1). `ready_path` answers 200 once the replica may get traffic. `env` is the
    whole environment but for PATH, HOME, LANG and TMPDIR: nothing of the control plane's own is inherited.
    """

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold secrets
    ready_path: str = "/v2/health/ready"
    limits: Limits = Limits()
    stop_grace_seconds: float = 30.0


@dataclass(frozen=True)
class LogLine:
    """One line that a replica wrote."""

    timestamp: datetime
    stream: str
    message: str


class Runtime(Protocol):
    """Where replicas run."""

    def start(self, replica_id: str, spec: ReplicaSpec) -> None:
        """Start it unless it was started before, even if it has ended since.

        Raises OSError when it cannot even be tried, and ValueError for an id or a spec that makes no sense. A program
        that cannot be run is a replica that has EXITED.
        """

    def observe(self, replica_id: str) -> Observation:
        """How it is now; asks the replica itself whether it is ready (bounded by a short deadline)."""

    def replicas(self) -> list[str]:
        """The ids of all replicas that are not forgotten, running or not."""

    def stop(self, replica_id: str) -> None:
        """Ask it to end gracefully; the runtime itself makes it end after the spec's grace. Returns at once."""

    def forget(self, replica_id: str) -> None:
        """Remove what is left of an ended replica, except for its logs. Raises OSError, also while it still runs."""

    def socket(self, replica_id: str) -> Path:
        """The unix socket that it listens on (short enough for the kernel's limit of 107 bytes)."""

    def logs(self, replica_id: str, *, start: datetime, end: datetime, newest_first: bool = False) -> Iterator[LogLine]:
        """Its lines between two moments, both included, also after it has ended."""

    def forget_logs(self, replica_id: str) -> None:
        """Remove its logs."""
