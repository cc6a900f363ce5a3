"""Which way a container is run on this machine: a local stand-in comes first, then the container engine."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mooring.files import write_atomically
from mooring.runtimes.base import ContainerSpec, ImageAway, ImageError, ImageRequest
from mooring.runtimes.containers import Containers, Program
from mooring.runtimes.sandbox.containers import PREFIX as STAND_IN
from mooring.runtimes.sandbox.containers import SandboxContainers

_IMAGE = "image:"
_RECORD = "container.json"

Engine = Callable[[], Containers | None]
"""The container engine; None when there is none. Raises ImageAway when it does not answer now."""


class ChosenContainers:
    """Implements `Containers`. Ids that `prepare` returns begin with whose they are; a run's folder notes it too.

    Without `sandbox` there are no stand-ins, without `engine` no images.
    """

    def __init__(self, sandbox: SandboxContainers | None, engine: Engine | None) -> None:
        self._sandbox = sandbox
        self._engine = engine

    def prepare(self, request: ImageRequest) -> str:
        """Raises ImageError, ImageAway."""
        if self._sandbox and self._sandbox.has(request.image):
            return self._sandbox.prepare(request)
        if found := self._engine() if self._engine else None:
            return f"{_IMAGE}{found.prepare(request)}"
        if self._sandbox:
            return self._sandbox.prepare(request)  # which says how to give it a stand-in
        raise ImageError(f"{request.image} cannot be run: no container engine (podman, docker) answers here")

    def program(self, run_id: str, spec: ContainerSpec, folder: Path) -> Program:
        """Raises OSError, ValueError."""
        owner = STAND_IN if spec.image.startswith(STAND_IN) else _IMAGE
        containers = self._of(owner)
        write_atomically(folder / _RECORD, json.dumps({"owner": owner}).encode())
        return containers.program(run_id, _without_prefix(spec), folder)

    def collect(self, run_id: str, folder: Path, path: str, target: Path) -> bool:
        """Raises OSError."""
        owner = _owner(folder)
        return owner is not None and self._of(owner).collect(run_id, folder, path, target)

    def end(self, run_id: str, folder: Path) -> None:
        """Raises OSError."""
        owner = _owner(folder)
        if owner is not None and owner != STAND_IN:  # of a stand-in nothing is left outside of its folder
            self._of(owner).end(run_id, folder)

    def reason(self, run_id: str, folder: Path, exit_code: int) -> str:
        """Raises OSError."""
        owner = _owner(folder)
        return "" if owner is None else self._of(owner).reason(run_id, folder, exit_code)

    def gateway_url(self, public_url: str) -> str:
        """The same for all of them. Raises OSError."""
        containers = self._sandbox or self._of(_IMAGE)
        return containers.gateway_url(public_url)

    def _of(self, owner: str) -> Containers:
        try:
            containers = self._sandbox if owner == STAND_IN else self._engine() if self._engine else None
        except ImageAway as error:
            raise OSError(str(error)) from error
        if containers is None:
            what = "its stand-in" if owner == STAND_IN else "a container engine (podman, docker)"
            raise FileNotFoundError(f"{what} is not there any more: give it again, or stop what needs it")
        return containers


def _without_prefix(spec: ContainerSpec) -> ContainerSpec:
    return replace(spec, image=spec.image.removeprefix(_IMAGE))


def _owner(folder: Path) -> str | None:
    """None when it was never started."""
    try:
        return str(json.loads((folder / _RECORD).read_bytes())["owner"])
    except (OSError, ValueError, KeyError):
        return None
