"""The command line that makes a container: a pure function of its spec."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mooring.runtimes.base import ContainerSpec, Mount
from mooring.runtimes.container.flavours import Flavour

_NOBODY = "65534:65534"
_ROOT = ("", "root", "0")
_UNSAFE = set(',"\n\r\0')
"""Mounts are written as a line of comma-separated values."""


@dataclass(frozen=True)
class Surroundings:
    """What belongs to a container beside its spec. `port`: where its server's port is published; None for a job.
    `pid_file`: where an engine that can do so writes the number of its first process."""

    run_id: str
    owner: str
    network: str
    image_user: str
    port: int | None
    processes: int
    options: Sequence[str] = ()
    pid_file: Path | None = None


def container_name(run_id: str) -> str:
    """How the engine calls it."""
    return f"mooring-{run_id}"


def create_command(
    flavour: Flavour, spec: ContainerSpec, around: Surroundings, env_options: Sequence[str]
) -> list[str]:
    """The words behind the engine's name. The operator's own options come last, so that they win. Raises ValueError."""
    command = list(spec.command or ())
    return [
        *("create", "--name", container_name(around.run_id), "--pull", "never"),
        *("--label", f"mooring.home={around.owner}", "--label", f"mooring.run={around.run_id}"),
        *("--network", around.network, "--restart", "no", "--log-driver", "none", "--init"),
        *("--cap-drop", "all", "--security-opt", "no-new-privileges"),
        *("--user", _user(spec, around.image_user)),
        *flavour.create,
        *_limits(spec, around),
        *_published(spec, around.port),
        *(["--read-only"] if spec.read_only_root else []),
        *(["--workdir", spec.working_dir] if spec.working_dir else []),
        *[word for mount in spec.mounts for word in ("--mount", _mount(mount))],
        *env_options,
        *(["--pidfile", str(around.pid_file)] if around.pid_file and flavour.prepares else []),
        *around.options,
        *([f"--entrypoint={command[0]}"] if command else []),
        spec.image,
        *command[1:],
        *(spec.args or ()),
    ]


def _user(spec: ContainerSpec, image_user: str) -> str:
    """Nobody, where neither the template nor the image names somebody else."""
    if spec.user is not None:
        return str(spec.user) if spec.group is None else f"{spec.user}:{spec.group}"
    name, _, group = image_user.partition(":")
    if name in _ROOT:
        return _NOBODY if spec.group is None else f"65534:{spec.group}"
    group = group if spec.group is None else str(spec.group)
    return f"{name}:{group}" if group else name


def _limits(spec: ContainerSpec, around: Surroundings) -> list[str]:
    words = ["--pids-limit", str(around.processes), "--stop-timeout", str(round(spec.stop_grace_seconds))]
    if spec.limits.memory_bytes is not None:  # none of it may be swapped out
        words += ["--memory", f"{spec.limits.memory_bytes}b", "--memory-swap", f"{spec.limits.memory_bytes}b"]
    if spec.limits.cpus is not None:
        words += ["--cpus", f"{spec.limits.cpus:g}"]
    if not any("nofile" in option for option in around.options):  # podman does not take it twice
        words += ["--ulimit", f"nofile={spec.limits.open_files}:{spec.limits.open_files}"]
    return words


def _published(spec: ContainerSpec, port: int | None) -> list[str]:
    if port is None or spec.readiness is None:
        return []
    return ["--publish", f"127.0.0.1:{port}:{spec.readiness.port}"]


def _mount(mount: Mount) -> str:
    source, target = str(mount.source), mount.target
    if _UNSAFE & set(source + target):
        raise ValueError(f"{source!r} cannot be mounted at {target!r}: commas, quotes and line breaks are not possible")
    if (
        not mount.source.is_absolute()
        or not target.startswith("/")
        or not target.strip("/")
        or ".." in target.split("/")
    ):
        raise ValueError(
            f"{source!r} cannot be mounted at {target!r}: both have to be absolute paths, and not / itself"
        )
    return f"type=bind,source={source},target={target}{',readonly' if mount.read_only else ''}"
