"""The engine's command line, called so that nothing of a user's can act on it."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from mooring.runtimes.container.flavours import Flavour

SECONDS = 60.0
"""For everything that does not move an image."""

_PASSED_ON = (
    *("PATH", "HOME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME"),
    *("DBUS_SESSION_BUS_ADDRESS", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY"),
    *("CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF", "CONTAINERS_REGISTRIES_CONF"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE"),
)
_LONGEST_COMPLAINT = 500


class EngineError(OSError):
    """What the engine said when it refused."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


@dataclass(frozen=True)
class Client:
    """One engine's program. `environment` is the operator's, never a container's."""

    program: str
    flavour: Flavour

    def run(
        self,
        words: Sequence[str],
        *,
        given: bytes | None = None,
        seconds: float = SECONDS,
        env: Mapping[str, str] | None = None,
    ) -> str:
        """What it wrote. `env` is added to its environment. Raises EngineError, TimeoutError."""
        try:
            done = subprocess.run(
                [self.program, *words], input=given, stdin=subprocess.DEVNULL if given is None else None,
                capture_output=True, env={**environment(), **(env or {})}, timeout=seconds, check=False, cwd="/",
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.flavour.name} {words[0]} has not ended within {seconds:g} s") from None
        if done.returncode != 0:
            raise EngineError(f"{self.flavour.name} {words[0]}: {complaint(done.stderr)}")
        return done.stdout.decode(errors="replace").strip()

    def open(self, words: Sequence[str]) -> "subprocess.Popen[bytes]":
        """A running one whose output is a pipe; end it in any case."""
        return subprocess.Popen(
            [self.program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment(), cwd="/",
        )  # fmt: skip


def environment() -> Mapping[str, str]:
    """What the client needs to find its configuration, its store and the way to the registries."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def complaint(stderr: bytes | IO[bytes]) -> str:
    """The last line that matters: warnings come first."""
    said = stderr if isinstance(stderr, bytes) else stderr.read(1 << 16)
    lines = [line.strip() for line in said.decode(errors="replace").replace("\0", " ").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("Error")] or lines[-1:]
    return (errors[-1] if errors else "it failed without a word").removeprefix("Error: ")[:_LONGEST_COMPLAINT]
