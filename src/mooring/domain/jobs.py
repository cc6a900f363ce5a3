"""A job: one container that an execution runs to its end, with what goes into it and what comes out.

A workflow is a tree of nodes; the leaves that run something are jobs. A node that is tried again has a job per try.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from mooring.domain.containers import Container


class JobState(Enum):
    """The life of a job."""

    WAITING = "waiting"  # for a free place, or for what it needs
    RUNNING = "running"
    STORING = "storing"  # has ended well; what it made is being stored
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # ended with another exit code than 0, or took too long, or what it promised is not there
    ERROR = "error"  # could not be run at all, or was lost: not its program's fault
    STOPPED = "stopped"  # because its execution was


ENDED = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.ERROR, JobState.STOPPED})


@dataclass(frozen=True)
class InputArtifact:
    """What lies at `url` is put at `path` before the start; a tar.gz is unpacked unless `unpack` is False.

    `mode` are the permissions of the file (as a number); None leaves them.
    """

    name: str
    path: str
    url: str
    unpack: bool = True
    mode: int | None = None


@dataclass(frozen=True)
class OutputArtifact:
    """What lies at `path` after the end is stored at `url`: as it is, or packed as a tar.gz."""

    name: str
    path: str
    url: str
    pack: bool = True
    optional: bool = False


@dataclass(frozen=True)
class OutputParameter:
    """The text of the file at `path`; `default` when there is none (None: then the job has failed)."""

    name: str
    path: str
    default: str | None = None


@dataclass(frozen=True)
class JobOrder:
    """All that one job needs. `node` is its place in the workflow (`main`, `main[0].train(2:b)`), `attempt` from 0 on.

    `script` is run by the container's command as a file. `wants_result`: the last of what it prints is a value for
    others. `seconds`: it is ended when it has run for so long. `not_before`: a retry that waits.
    """

    node: str
    attempt: int
    template: str
    container: Container
    script: str | None = None
    inputs: tuple[InputArtifact, ...] = ()
    outputs: tuple[OutputArtifact, ...] = ()
    parameters: tuple[OutputParameter, ...] = ()
    wants_result: bool = False
    seconds: float | None = None
    not_before: datetime | None = None


@dataclass(frozen=True)
class JobResult:
    """What came out: output parameters by name, urls of stored artifacts by name, what a script printed last."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, str] = field(default_factory=dict)
    result: str = ""


@dataclass(frozen=True)
class JobView:
    """A job as decisions about its workflow see it."""

    id: str
    node: str
    attempt: int
    state: JobState
    exit_code: int | None = None
    reason: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    result: JobResult = JobResult()


@dataclass(frozen=True)
class NodeFact:
    """How one node of the workflow stands, for `statusDetails`: `phase` in Argo's words (Pending, Running, Succeeded,
    Failed, Error, Skipped, Omitted)."""

    node: str
    template: str
    phase: str
    message: str = ""


@dataclass(frozen=True)
class Progress:
    """What a workflow needs now. `over`: nothing more will begin, and nothing runs; `failure` says why it failed.

    `begin`: jobs to be recorded. `stop`: ids of jobs that have become pointless. `outputs`: urls by `globalName`, when
    it has succeeded.
    """

    begin: tuple[JobOrder, ...] = ()
    stop: tuple[str, ...] = ()
    over: bool = False
    failure: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    nodes: tuple[NodeFact, ...] = ()
