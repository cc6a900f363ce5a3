"""Which container engine answers on this machine, asked when the first container is wanted."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from mooring.runtimes.container.client import Client
from mooring.runtimes.container.flavours import FLAVOURS, PODMAN, Flavour

_ANSWER_SECONDS = 10.0
_QUESTION = {"podman": ("info", "--format", "{{.Host.Arch}}"), "docker": ("version", "--format", "{{.Server.Version}}")}


class Engines:
    """Finds the engine that answers, and keeps it. One that did not answer is asked again.

    `wanted` is a program's name or path; None: podman, else docker.
    """

    def __init__(self, wanted: str | None = None) -> None:
        self._wanted = wanted
        self._lock = threading.Lock()
        self._found: Client | None = None

    def client(self) -> Client | None:
        """None when none answers. Takes seconds at most."""
        with self._lock:
            if self._found is None:
                self._found = next((client for client in self._candidates() if _answers(client)), None)
            return self._found

    def _candidates(self) -> Iterator[Client]:
        names = [self._wanted] if self._wanted else [flavour.name for flavour in FLAVOURS]
        for name in names:
            if program := shutil.which(name):
                yield Client(program, _flavour(name))


def _flavour(program: str) -> Flavour:
    """By its name: `/opt/bin/docker-28` is docker."""
    name = Path(program).name
    return next((flavour for flavour in FLAVOURS if name.startswith(flavour.name)), PODMAN)


def _answers(client: Client) -> bool:
    try:
        return bool(client.run(_QUESTION[client.flavour.name], seconds=_ANSWER_SECONDS))
    except OSError:
        return False
