"""How a machine runs a container: as a program that the process runtime starts, watches and ends like any other.

So there is one way to supervise (shim, log, exit code, adoption), whatever runs the container: a sandbox around a local
stand-in, or the client of a container engine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mooring.runtimes.base import ContainerSpec, Endpoint, ImageRequest


@dataclass(frozen=True)
class Program:
    """What has to be started. In its first `our_words` arguments `{socket}` is its unix socket, as in `ReplicaSpec`;
    the others are a user's, and mean what they say.

    `endpoint`: where it listens, when that is not its unix socket. `memory_bytes`: what its own processes (not those of
    an engine) may use. `env` is the whole environment.
    """

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    endpoint: Endpoint | None = None
    memory_bytes: int | None = None
    our_words: int = 0

    def arguments(self, socket: Path) -> list[str]:
        """What is executed."""
        ours = [word.replace("{socket}", str(socket)) for word in self.argv[: self.our_words]]
        return [*ours, *self.argv[self.our_words :]]


class Containers(Protocol):
    """Runs containers. Every call may be repeated; all but `prepare` are short. `folder` is the run's own (0700)."""

    def prepare(self, request: ImageRequest) -> str:
        """As `Runtime.prepare`."""

    def program(self, run_id: str, spec: ContainerSpec, folder: Path) -> Program:
        """Make what the container needs, in `folder` or in the engine. Raises OSError, ValueError."""

    def collect(self, run_id: str, folder: Path, path: str, target: Path) -> bool:
        """As `Runtime.collect`."""

    def end(self, run_id: str, folder: Path) -> None:
        """The program is gone: end and remove whatever is left of the container outside of `folder`. Raises OSError."""

    def reason(self, run_id: str, folder: Path, exit_code: int) -> str:
        """Why it ended, where more is known than its program said (its engine killed it, say); else nothing. Raises
        OSError."""

    def gateway_url(self, public_url: str) -> str:
        """As `Runtime.gateway_url`."""
