"""The small steps that an execution and its jobs go through; each can be repeated harmlessly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mooring.domain.actions import Accept, MarkStopped, Remove
from mooring.domain.jobs import JobOrder, JobState


@dataclass(frozen=True)
class RecordJobs:
    """Record jobs that the workflow needs now."""

    orders: tuple[JobOrder, ...]


@dataclass(frozen=True)
class PrepareJob:
    """Fetch the job's inputs and its image; goes on in the background."""

    job_id: str


@dataclass(frozen=True)
class ClaimPlace:
    """It is the job's turn: let it take a place, if there still is one. From then on it counts as running."""

    job_id: str


@dataclass(frozen=True)
class LaunchJob:
    """Let the runtime start a job that has a place."""

    job_id: str


@dataclass(frozen=True)
class StopJob:
    """Ask a running job to end. With a `failure`, that is what it has failed of."""

    job_id: str
    failure: str = ""


@dataclass(frozen=True)
class NoteExit:
    """Record that a job's program has ended well; what it has made is still to be stored."""

    job_id: str
    exit_code: int


@dataclass(frozen=True)
class StoreJob:
    """Store what the job has made, and read what it says; goes on in the background."""

    job_id: str


@dataclass(frozen=True)
class NoteStored:
    """Everything is stored: the job has succeeded."""

    job_id: str


@dataclass(frozen=True)
class EndJob:
    """Record that a job is over without a result, and why."""

    job_id: str
    state: JobState
    reason: str = ""
    exit_code: int | None = None


@dataclass(frozen=True)
class Requeue:
    """The job was lost through no fault of its own: it waits again. `counts`: this may not happen too often."""

    job_id: str
    counts: bool = True


@dataclass(frozen=True)
class ClearJob:
    """Remove what the runtime still has of a job that is to begin anew."""

    job_id: str


@dataclass(frozen=True)
class ForgetJob:
    """Remove what is left of a job that is over, except for its logs."""

    job_id: str


@dataclass(frozen=True)
class Describe:
    """Say how the execution stands: in a sentence, and node by node (`statusDetails`)."""

    message: str
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Complete:
    """Everything has succeeded: register what was made, by `globalName`."""

    outputs: Mapping[str, str]
    details: Mapping[str, Any]


@dataclass(frozen=True)
class FailExecution:
    """The execution is DEAD."""

    reason: str
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Discard:
    """Remove from the object store what was made for the steps alone; goes on in the background."""


ExecutionAction = (
    Accept
    | RecordJobs
    | PrepareJob
    | ClaimPlace
    | LaunchJob
    | StopJob
    | NoteExit
    | StoreJob
    | NoteStored
    | EndJob
    | Requeue
    | ClearJob
    | ForgetJob
    | Describe
    | Complete
    | FailExecution
    | Discard
    | MarkStopped
    | Remove
)
