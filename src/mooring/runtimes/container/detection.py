"""Which container engine answers on this machine, asked when the first container is wanted."""

import math
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from mooring.runtimes.base import ImageAway
from mooring.runtimes.container.client import Client
from mooring.runtimes.container.flavours import FLAVOURS, PODMAN, Flavour

_ANSWER_SECONDS = 10.0
_PAUSE_SECONDS = 10.0
"""Whoever observes containers must not be kept waiting by an engine that is away, again and again."""
_QUESTION = {"podman": ("info", "--format", "{{.Host.Arch}}"), "docker": ("version", "--format", "{{.Server.Version}}")}


class Engines:
    """Finds the engine that answers, and keeps it. One that did not answer is asked again, but not at once.

    `wanted` is a program's name or path; None: podman, else docker.
    """

    def __init__(self, wanted: str | None = None) -> None:
        self._wanted = wanted
        self._lock = threading.Lock()
        self._found: Client | None = None
        self._asked_at = -math.inf

    def client(self) -> Client | None:
        """None when none is installed. Takes seconds at most. Raises ImageAway when one is, but does not answer."""
        with self._lock:
            candidates = list(self._candidates()) if self._found is None else []
            if candidates and time.monotonic() >= self._asked_at + _PAUSE_SECONDS:
                self._found = next((client for client in candidates if _answers(client)), None)
                self._asked_at = time.monotonic()  # its silence may have taken a while
            if self._found is None and candidates:
                names = " and ".join(client.program for client in candidates)
                raise ImageAway(f"no container engine answers ({names}): start it, or give the image a stand-in")
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
