"""What a runtime promises to the controllers: start, observe, stop and forget what runs.

Two kinds of things run: replicas (they serve, until they are asked to end) and jobs (they end by themselves). Each is
either a program of ours or a user's container. Every call is short and idempotent, so that a controller may die between
any two of them. What runs outlives the control plane; what a runtime knows about it lies on disk (or in the cluster),
never only in memory.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from mooring.domain.containers import PullPolicy
from mooring.domain.endpoints import Endpoint as Endpoint
from mooring.domain.endpoints import TcpAddress as TcpAddress
from mooring.domain.replicas import Observation as Observation
from mooring.domain.replicas import Phase as Phase


@dataclass(frozen=True)
class Limits:
    """What one replica or job may use. `memory_bytes` counts the resident memory of all its processes; None: no limit.

    Pages that several processes share count once, in shares.
    """

    memory_bytes: int | None = None
    open_files: int = 4096
    cpus: float | None = None


@dataclass(frozen=True)
class Warm:
    """How a program can be had faster than by executing it: forked from a process that has imported it already.

    `module` has `prepare()` (import, and what can be done in advance) and `main(arguments, on_ready)` (the program,
    which calls `on_ready` once it works). Nothing is shared between the replicas of two tenants.
    """

    module: str
    tenant: str


@dataclass(frozen=True)
class ReplicaSpec:
    """A program of ours as the runtime needs it.

    `argv` is the program; the word `{socket}` inside an argument is replaced by the path of the unix socket on which
    the replica has to listen (HTTP/1.1). `ready_path` answers 200 once the replica may get traffic. `env` is the
    whole environment but for PATH, HOME, LANG and TMPDIR: nothing of the control plane's own is inherited. `warm`: the
    same program, which takes all that follows `argv[:3]` (`python -m PROGRAM`).
    """

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold secrets
    ready_path: str = "/v2/health/ready"
    limits: Limits = Limits()
    stop_grace_seconds: float = 30.0
    warm: Warm | None = None


@dataclass(frozen=True)
class Mount:
    """A file or folder of this machine as the container sees it."""

    source: Path
    target: str
    read_only: bool = True


@dataclass(frozen=True)
class Readiness:
    """When a container that serves may get traffic: `GET path` answers 200 to 399, or (without a path) it accepts.

    A good answer holds for `period_seconds`, in which it is not asked again: each question is a line in its log.
    """

    port: int
    path: str | None = None
    initial_delay_seconds: float = 0.0
    timeout_seconds: float = 1.0
    period_seconds: float = 0.0


@dataclass(frozen=True)
class ContainerSpec:
    """A user's container as the runtime needs it. `image` is what `Runtime.prepare` has returned.

    `command` replaces the image's entry point (None keeps it), `args` its command. `env` is added to the image's own.
    `readiness` makes it a server, reached by way of `Runtime.endpoint`; None makes it a job. `outputs`: paths that
    `Runtime.collect` will ask for, whose folders it must be able to write to. `network`: containers of another network
    cannot be reached from inside. Nothing of the control plane's own environment is inherited.
    """

    image: str
    command: Sequence[str] | None = None
    args: Sequence[str] | None = None
    env: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold secrets
    mounts: Sequence[Mount] = ()
    outputs: Sequence[str] = ()
    working_dir: str = ""
    readiness: Readiness | None = None
    user: int | None = None
    group: int | None = None
    read_only_root: bool = False
    network: str = "default"
    limits: Limits = Limits()
    stop_grace_seconds: float = 30.0


@dataclass(frozen=True)
class ImageRequest:
    """An image to be had. `credentials` is the content of a docker `config.json` (`{"auths": …}`)."""

    image: str
    pull_policy: PullPolicy | None = None
    credentials: Mapping[str, object] = field(default_factory=dict, repr=False)


class ImageError(Exception):
    """The image cannot be had, in words for its owner; asking again does not help."""


class ImageAway(ImageError):
    """It cannot be had now: the registry is away, the disk is full. It may be had later."""


@dataclass(frozen=True)
class LogLine:
    """One line that a replica wrote."""

    timestamp: datetime
    stream: str
    message: str


class Runtime(Protocol):
    """Where replicas and jobs run. `run_id` stands for the id of either."""

    def prepare(self, request: ImageRequest) -> str:
        """Have the image on this machine. Slow. Returns what `ContainerSpec.image` has to say: the same id for as long
        as the content is the same. Raises ImageError, ImageAway."""

    def start(self, run_id: str, spec: ReplicaSpec | ContainerSpec) -> None:
        """Start it unless it was started before, even if it has ended since.

        Raises OSError when it cannot even be tried, and ValueError for an id or a spec that makes no sense. A program
        that cannot be run is one that has EXITED.
        """

    def observe(self, run_id: str) -> Observation:
        """How it is now; asks a replica itself whether it is ready (bounded by a short deadline). A job is READY as
        soon as it runs."""

    def replicas(self) -> list[str]:
        """The ids of all replicas and jobs that are not forgotten, running or not."""

    def stop(self, run_id: str) -> None:
        """Ask it to end gracefully; the runtime itself makes it end after the spec's grace. Returns at once."""

    def collect(self, run_id: str, path: str, target: Path) -> bool:
        """Copy the file or folder that an ended job has left at `path` to `target` (which does not exist yet).

        Links are not followed out of the container: nothing of this machine's is copied. False when nothing lies
        there. Raises OSError.
        """

    def forget(self, run_id: str) -> None:
        """Remove what is left of an ended replica, except for its logs. Raises OSError, also while it still runs."""

    def endpoint(self, run_id: str) -> Endpoint:
        """Where a replica listens (a socket's path is short enough for the kernel's limit of 107 bytes)."""

    def gateway_url(self, public_url: str) -> str:
        """Under which URL a container reaches the gateway, which clients reach under `public_url`."""

    def logs(self, run_id: str, *, start: datetime, end: datetime, newest_first: bool = False) -> Iterator[LogLine]:
        """Its lines between two moments, both included, also after it has ended."""

    def logged(self) -> list[str]:
        """The ids of all replicas and jobs of which there are logs."""

    def forget_logs(self, run_id: str) -> None:
        """Remove its logs."""
