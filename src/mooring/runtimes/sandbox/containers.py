"""Containers as sandboxes around local stand-ins of their images."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

from mooring.domain.stand_ins import StandIn, StandIns
from mooring.files import write_atomically
from mooring.runtimes.base import ContainerSpec, ImageError, ImageRequest, Mount
from mooring.runtimes.containers import Program
from mooring.runtimes.process.layout import TEMPORARY
from mooring.runtimes.sandbox import bubblewrap, filesystem, launcher, unsandboxed
from mooring.runtimes.sandbox.collecting import Inside
from mooring.runtimes.sandbox.environments import Environment, Environments
from mooring.runtimes.sandbox.filesystem import ENVIRONMENT, GATEWAY, HOME, INIT, Filesystem, interpreter_folders
from mooring.runtimes.sandbox.inside.order import GIVEN, Order
from mooring.runtimes.sandbox.spreading import Link, Room, spread
from mooring.runtimes.sandbox.variables import SYSTEM_PATH, image_environment

PREFIX = "stand-in:"
_NOBODY = 65534
_ROOT = "root"
_NOTES = "sandbox.json"


@dataclass(frozen=True)
class Gateway:
    """The gateway as it is reached from inside: by a unix socket, under the port that clients outside use too."""

    socket: Path
    port: int


class SandboxContainers:
    """Implements `Containers` for images that have a stand-in.

    `hidden`: folders of which nothing is seen inside, wherever a stand-in may lie. `jobs_network`: `host` lets jobs
    use this machine's network. `allow_unsandboxed`: where bubblewrap does not work, do without it.
    """

    def __init__(
        self,
        stand_ins: StandIns,
        environments: Environments,
        *,
        gateway: Gateway | None = None,
        hidden: Sequence[Path] = (),
        jobs_network: Literal["own", "host"] = "own",
        allow_unsandboxed: bool = False,
    ) -> None:
        self._stand_ins = stand_ins
        self._environments = environments
        self._gateway = gateway
        self._hidden = tuple(hidden)
        self._jobs_network = jobs_network
        self._allow_unsandboxed = allow_unsandboxed

    def has(self, image: str) -> bool:
        """Whether there is a stand-in for it."""
        return self._stand_ins.find(image) is not None

    def prepare(self, request: ImageRequest) -> str:
        """Have its environment made. Raises ImageError, ImageAway."""
        stand_in = self._stand_in(request.image)
        if not stand_in.folder.is_dir():
            raise ImageError(f"The stand-in of {request.image} is no folder: {stand_in.folder}")
        if any(stand_in.folder.resolve().is_relative_to(each.resolve()) for each in self._hidden):
            raise ImageError(f"The stand-in of {request.image} lies in Mooring's own folder: {stand_in.folder}")
        environment = self._environments.prepare(stand_in, self._isolation())
        facts = (str(stand_in.folder), stand_in.path, *stand_in.command)
        return f"{PREFIX}{request.image}#{environment.key}.{sha256(repr(facts).encode()).hexdigest()[:12]}"

    def program(self, run_id: str, spec: ContainerSpec, folder: Path) -> Program:
        """Make its root and say how bubblewrap has to be called. Raises OSError, ValueError."""
        image, key = _parse(spec.image)
        try:
            stand_in, options = self._stand_in(image), self._isolation()
        except ImageError as error:
            raise ValueError(str(error)) from error
        environment = self._environments.find(key)
        if environment is None:
            raise FileNotFoundError(f"The environment of {image} is gone: it is made again when the image is prepared")
        command = _command(image, spec, stand_in)
        if options is None:
            return unsandboxed.program(spec, command, stand_in, environment)
        working_dir = spec.working_dir or stand_in.path
        files = self._filesystem(spec, folder, stand_in, environment, working_dir)
        user = _NOBODY if spec.user is None else spec.user
        group = user if spec.group is None else spec.group
        files.make(user=user, group=group)
        _note(folder, files.mounts)
        order = self._order(spec, command, working_dir)
        launching = _python(launcher.__file__, "{socket}" if order.port else "")
        argv = [
            *launching,
            *("bwrap", *options, *([] if self._shares_network(spec) else ["--unshare-net"])),
            *("--die-with-parent", "--as-pid-1", "--cap-drop", "ALL", "--hostname", run_id[:63]),
            *("--uid", str(user), "--gid", str(group), *files.options(), "--chdir", "/", "--"),
            *_python(f"{INIT}/__main__.py", *order.to_arguments()),
        ]
        memory_bytes = spec.limits.memory_bytes
        return Program(argv, _environment(spec), memory_bytes=memory_bytes, our_words=len(launching))

    def collect(self, run_id: str, folder: Path, path: str, target: Path) -> bool:  # noqa: ARG002
        """Copy what lies at `path` inside. Raises OSError."""
        notes = json.loads((folder / _NOTES).read_bytes())
        mounts = [Mount(Path(source), inside, read_only=read_only) for source, inside, read_only in notes["mounts"]]
        everywhere = [*mounts, Mount(folder / TEMPORARY, "/tmp", read_only=False)]  # noqa: S108 (inside)
        return Inside(folder / _ROOT, everywhere).copy(path, target)

    def end(self, run_id: str, folder: Path) -> None:
        """Nothing to do: the kernel ends all of a sandbox with its first process, and all files lie in its folder."""

    def reason(self, run_id: str, folder: Path, exit_code: int) -> str:  # noqa: ARG002
        """All that is known, the program and its shim have said."""
        return ""

    def gateway_url(self, public_url: str) -> str:
        """The same port as outside, on the sandbox's own loopback."""
        port = self._gateway.port if self._gateway else urlsplit(public_url).port or 80
        return f"http://127.0.0.1:{port}"

    def _stand_in(self, image: str) -> StandIn:
        if found := self._stand_ins.find(image):
            return found
        raise ImageError(
            f"There is no stand-in for the image {image}: give one with `mooring up --stand-in {image}=FOLDER` or in "
            "MOORING_STAND_INS, or run a container engine (podman, docker)"
        )

    def _isolation(self) -> tuple[str, ...] | None:
        """None: without a sandbox, as the operator allows."""
        try:
            return bubblewrap.isolation()
        except ImageError:
            if self._allow_unsandboxed:
                return None
            raise

    def _shares_network(self, spec: ContainerSpec) -> bool:
        return spec.readiness is None and self._jobs_network == "host"

    def _order(self, spec: ContainerSpec, command: list[str], working_dir: str) -> Order:
        port = spec.readiness.port if spec.readiness else 0
        gateway = self._gateway if self._reaches_gateway(spec) else None
        return Order(
            listener=launcher.LISTENER,
            port=port,
            gateway=f"{GATEWAY}/{gateway.socket.name}" if gateway else "",
            gateway_port=gateway.port if gateway else 0,
            folder=working_dir,
            command=command,
        )

    def _reaches_gateway(self, spec: ContainerSpec) -> bool:
        """A server that wants the gateway's port for itself has it."""
        wanted = spec.readiness.port if spec.readiness else 0
        known = self._gateway is not None and self._gateway.socket.parent.is_dir()
        return known and not self._shares_network(spec) and wanted != (self._gateway and self._gateway.port)

    def _filesystem(
        self, spec: ContainerSpec, folder: Path, stand_in: StandIn, environment: Environment, working_dir: str
    ) -> Filesystem:
        root = folder / _ROOT
        root.mkdir(mode=0o755, exist_ok=True)
        writable = sorted({str(Path(path).parent) for path in spec.outputs} - {"/", "/tmp"})  # noqa: S108 (inside)
        room = Room({*spec.outputs, *(mount.target for mount in spec.mounts)}, writable)
        shown = list(spread(stand_in.folder, stand_in.path, room, {path.resolve() for path in self._hidden}))
        return Filesystem(
            root=root,
            temporary=folder / TEMPORARY,
            # Within the stand-in, a working directory is there or not; elsewhere an image would have made it.
            folders=[stand_in.path, *writable, *([] if _lies_in(working_dir, stand_in.path) else [working_dir])],
            links=[each for each in shown if isinstance(each, Link)],
            mounts=[*(each for each in shown if isinstance(each, Mount)), *spec.mounts],
            own=tuple(self._own_mounts(spec, environment)),
            hidden=self._hidden,
            read_only=spec.read_only_root,
            writable=writable,
            shares_network=self._shares_network(spec),
        )

    def _own_mounts(self, spec: ContainerSpec, environment: Environment) -> Iterator[Mount]:
        yield Mount(environment.folder, ENVIRONMENT)
        for path in {*interpreter_folders(environment.base_prefix), *interpreter_folders(sys.base_prefix)}:
            yield Mount(path, str(path))
        if self._gateway and self._reaches_gateway(spec):
            yield Mount(self._gateway.socket.parent, GATEWAY)


def _lies_in(path: str, folder: str) -> bool:
    return PurePosixPath(path).is_relative_to(folder)


def _parse(image: str) -> tuple[str, str]:
    name, _, key = image.removeprefix(PREFIX).rpartition("#")
    if not image.startswith(PREFIX) or not name:
        raise ValueError(f"{image!r} is no stand-in that was prepared")
    return name, key.partition(".")[0]


def _command(image: str, spec: ContainerSpec, stand_in: StandIn) -> list[str]:
    command = list(stand_in.command if spec.command is None else spec.command)
    if found := [*command, *(spec.args or ())]:
        return found
    raise ValueError(f"There is no command to run for {image}: the template names none, nor does its stand-in")


def _environment(spec: ContainerSpec) -> Mapping[str, str]:
    """Under names that have no effect on what starts it."""
    given = image_environment(spec, home=HOME, environment=ENVIRONMENT)
    return {"PATH": SYSTEM_PATH, **{f"{GIVEN}{name}": value for name, value in given.items()}}


def _python(program: str, *arguments: str) -> list[str]:
    """Our own interpreter, isolated, and without anything that it could be told to import."""
    return [filesystem.our_python(), "-I", "-S", program, *arguments]


def _note(folder: Path, mounts: Sequence[Mount]) -> None:
    """What `collect` has to know, by whichever control plane it is asked."""
    facts = [[str(mount.source), mount.target, mount.read_only] for mount in mounts]
    write_atomically(folder / _NOTES, json.dumps({"mounts": facts}).encode())
