"""Stand-ins without a sandbox, where an operator allows it: as this user, with all that this user can see."""

from pathlib import Path

from mooring.domain.stand_ins import StandIn
from mooring.runtimes.base import ContainerSpec, TcpAddress
from mooring.runtimes.containers import Program
from mooring.runtimes.sandbox.environments import Environment
from mooring.runtimes.sandbox.variables import image_environment

_PATHS = (
    "needs files at paths of its own ({paths}), which only a sandbox can give it: install bubblewrap "
    "(apt-get install bubblewrap), or run a container engine"
)


def program(spec: ContainerSpec, command: list[str], stand_in: StandIn, environment: Environment) -> Program:
    """In the stand-in's folder, on this machine's network. Raises ValueError for what cannot be had this way."""
    if paths := [*(mount.target for mount in spec.mounts), *spec.outputs]:
        raise ValueError(f"{stand_in.folder} {_PATHS.format(paths=', '.join(paths))}")
    inside = spec.working_dir or stand_in.path
    if not Path(inside).is_relative_to(stand_in.path):
        raise ValueError(f"{stand_in.folder} {_PATHS.format(paths=inside)}")
    folder = stand_in.folder / Path(inside).relative_to(stand_in.path)
    endpoint = TcpAddress("127.0.0.1", spec.readiness.port) if spec.readiness else None
    variables = image_environment(spec, home=str(stand_in.folder), environment=str(environment.folder))
    return Program(["env", "-C", str(folder), *command], variables, endpoint, spec.limits.memory_bytes)
