"""What the settings say about jobs."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from mooring.domain.resource_plans import Machine


@dataclass(frozen=True)
class JobOptions:
    """`workspaces`: a folder per job lies there. `at_once`: how many jobs run at a time, when not as the processors
    of the machine allow. `patience`: for how long a trouble that may pass is borne with. `execution_seconds`: how long
    an execution may run whose workflow does not say."""

    workspaces: Path
    public_url: str
    machine: Machine
    patience: timedelta
    open_files: int
    stop_grace_seconds: float
    at_once: int | None = None
    execution_seconds: float | None = None
