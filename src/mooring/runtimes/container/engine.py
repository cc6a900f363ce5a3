"""Containers of an engine. What the shim watches is the engine's client; the container itself is the engine's."""

import json
import sys
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import mooring
from mooring.domain.endpoints import TcpAddress
from mooring.files import write_atomically
from mooring.network.reach import Reach
from mooring.runtimes.base import ContainerSpec, ImageRequest
from mooring.runtimes.container import networks, outputs
from mooring.runtimes.container.client import Client, EngineError, complaint, environment
from mooring.runtimes.container.command import Surroundings, container_name, create_command
from mooring.runtimes.container.environment import handed_over, remove_secrets, remove_secrets_of, sorted_out
from mooring.runtimes.container.images import Images
from mooring.runtimes.container.ports import Ports
from mooring.runtimes.container.unpacked import unpack
from mooring.runtimes.containers import Program
from mooring.runtimes.sandbox.containers import Gateway

if TYPE_CHECKING:
    import subprocess

_RECORD = "engine.json"
_PID_FILE = "container.pid"
_START_SECONDS = 60.0
_COLLECT_BYTES = 1 << 40
_COLLECT_SECONDS = 1800.0
_CREATE_TRIES = 3
_KILLED = 137
_ATTEND = "import sys; sys.path.insert(0, sys.argv.pop(1)); from mooring.runtimes.container.attend import main; main()"
_HTTP, _HTTPS = 80, 443


@dataclass(frozen=True)
class EngineOptions:
    """`owner` tells this home's containers from those of others. `state` is a folder of ours. `gateway`: where it is
    reached by what runs inside. `processes`: how many one container may have. `reach`: to which registries we go."""

    owner: str
    state: Path
    gateway: Gateway | None = None
    create_options: Sequence[str] = ()
    pull_options: Sequence[str] = ()
    pull_seconds: float = 600.0
    processes: int = 4096
    reach: Reach = field(default_factory=Reach)


class EngineContainers:
    """Implements `Containers` with podman or docker."""

    def __init__(self, client: Client, options: EngineOptions) -> None:
        self._client = client
        self._options = options
        self._images = Images(client, options.pull_options, options.pull_seconds, options.reach)
        self._ports = Ports(options.state / "ports")

    def prepare(self, request: ImageRequest) -> str:
        """The image's id: a tag may be moved, what runs is not. Raises ImageError, ImageAway."""
        return f"sha256:{self._images.ensure(request).id}"

    def program(self, run_id: str, spec: ContainerSpec, folder: Path) -> Program:
        """Makes the container, anew when a start was broken off before. Raises OSError, ValueError."""
        spec = replace(spec, image=spec.image.removeprefix("sha256:"))
        image = self._images.inspect(spec.image)
        if image is None:
            raise FileNotFoundError(f"The image {spec.image} is not on this machine any more: deploy or run it again")
        write_atomically(folder / _RECORD, json.dumps({"secrets": list(sorted_out(spec.env).others)}).encode())
        self._ports.release(run_id)
        port = self._ports.take(run_id) if spec.readiness else None
        around = Surroundings(
            run_id=run_id,
            owner=self._options.owner,
            network=networks.network_name(self._options.owner, spec.network),
            image_user=image.user,
            port=port,
            processes=self._options.processes,
            options=self._options.create_options,
            pid_file=folder / _PID_FILE,
        )
        self._create(spec, around, folder)
        return Program(
            argv=self._attended(run_id, spec, folder),
            env=dict(environment()),
            endpoint=TcpAddress("127.0.0.1", port) if port else None,
        )

    def collect(self, run_id: str, folder: Path, path: str, target: Path) -> bool:  # noqa: ARG002
        """A link at `path` itself is followed inside. Raises OSError."""
        process = self._client.open(["cp", f"{container_name(run_id)}:{path}", "-"])
        assert process.stdout is not None  # noqa: S101 (it is a pipe)
        overdue = threading.Timer(_COLLECT_SECONDS, process.kill)
        overdue.start()
        with process:
            try:
                return self._unpacked(process, path, target)
            finally:
                overdue.cancel()
                process.kill()

    def end(self, run_id: str, folder: Path) -> None:
        """Also while it still runs: then it is killed. Raises OSError."""
        self._remove(run_id)
        remove_secrets(self._client, run_id, _secrets_of(folder))
        self._ports.release(run_id)

    def reason(self, run_id: str, folder: Path, exit_code: int) -> str:  # noqa: ARG002
        """What the engine knows of one that was killed; not all engines notice why. Raises OSError."""
        if exit_code != _KILLED:
            return ""
        question = "{{.State.OOMKilled}} {{.HostConfig.Memory}}"
        said = self._client.run(["container", "inspect", "--format", question, container_name(run_id)]).split()
        if len(said) != len(question.split()) or said[1] == "0":
            return ""
        limit = f"its limit of {int(said[1]) >> 20} MiB"
        return (
            f"used more memory than {limit}, and was killed"
            if said[0] == "true"
            else f"was killed, most likely for using more memory than {limit}"
        )

    def gateway_url(self, public_url: str) -> str:
        """The gateway's port, on the container's own loopback."""
        gateway = self._options.gateway
        return f"http://127.0.0.1:{gateway.port if gateway else _port_of(public_url)}"

    def end_all_but(self, run_ids: Collection[str]) -> list[str]:
        """Ends containers of this home that belong to no run any more, and returns their runs. Raises OSError."""
        known = set(run_ids)
        words = ["ps", "--all", "--filter", f"label=mooring.home={self._options.owner}", "--format", "{{.Names}}"]
        names = self._client.run(words).split()
        lost = sorted({name.removeprefix(container_name("")) for name in names} - known)
        for run_id in lost:
            self._remove(run_id)
        remove_secrets_of(self._client, lost)
        self._ports.keep_only(known)
        return lost

    def _create(self, spec: ContainerSpec, around: Surroundings, folder: Path) -> None:
        paths = outputs.folders(spec)
        if spec.read_only_root:
            spec, paths = replace(spec, mounts=[*spec.mounts, *outputs.as_mounts(paths, folder)]), []
        with handed_over(self._client, around.run_id, spec.env, folder) as env_options:
            command = create_command(self._client.flavour, spec, around, env_options)
            for _ in range(_CREATE_TRIES):
                try:
                    self._client.run(command)
                    break
                except EngineError as error:
                    self._clear_the_way(error, around)
        outputs.make_writable(self._client, container_name(around.run_id), paths)

    def _clear_the_way(self, error: EngineError, around: Surroundings) -> None:
        """A network that is made at its first use, or what a start that was broken off has left. Raises the others."""
        if networks.is_missing(error, around.network):
            networks.make(self._client, around.network, self._options.owner)
        elif "already in use" in error.said:
            self._remove(around.run_id)
        else:
            raise error

    def _remove(self, run_id: str) -> None:
        try:
            self._client.run(["rm", "--force", "--volumes", container_name(run_id)])
        except EngineError as error:
            if "no such container" not in error.said.lower():
                raise

    def _attended(self, run_id: str, spec: ContainerSpec, folder: Path) -> list[str]:
        flavour = self._client.flavour
        pid_file = str(folder / _PID_FILE) if flavour.prepares else ""
        words = [self._client.program, container_name(run_id), pid_file, str(_START_SECONDS)]
        gateway = self._options.gateway
        if gateway and not (spec.readiness and spec.readiness.port == gateway.port):  # a server has its port for itself
            words += [str(gateway.port), str(gateway.socket)]
        source = str(Path(mooring.__file__).parent.parent)
        return [sys.executable, "-I", "-S", "-c", _ATTEND, source, *words]

    def _unpacked(self, process: "subprocess.Popen[bytes]", path: str, target: Path) -> bool:
        assert process.stdout is not None  # noqa: S101 (it is a pipe)
        assert process.stderr is not None  # noqa: S101
        first = process.stdout.peek(1)  # type: ignore[attr-defined]
        if not first:
            said = complaint(process.stderr)
            if "could not be found" in said or "could not find the file" in said.lower():
                return False
            raise OSError(f"{path} cannot be copied out of the container: {said}")
        return unpack(process.stdout, target, most_bytes=_COLLECT_BYTES)


def _secrets_of(folder: Path) -> list[str]:
    try:
        return [str(name) for name in json.loads((folder / _RECORD).read_bytes())["secrets"]]
    except FileNotFoundError:
        return []


def _port_of(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (_HTTPS if parts.scheme == "https" else _HTTP)
