"""How users' containers are run on this machine, from settings."""

import logging
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from mooring.gateway.options import GatewayOptions
from mooring.home import Home
from mooring.network.reach import Reach
from mooring.runtimes.base import ImageAway
from mooring.runtimes.choice import ChosenContainers
from mooring.runtimes.container.detection import Engines
from mooring.runtimes.container.engine import EngineContainers, EngineOptions
from mooring.runtimes.sandbox.containers import Gateway, SandboxContainers
from mooring.runtimes.sandbox.environments import Environments
from mooring.settings import Settings
from mooring.system.stand_ins import stand_ins

_logger = logging.getLogger("mooring.system")


def containers(settings: Settings, home: Home, runtime_home: Home, gateway: GatewayOptions | None) -> ChosenContainers:
    """`home` is ours, `runtime_home` the one in which replicas lie; `gateway` is what containers may reach (None: only
    ending what runs). Raises CannotStart for stand-ins that make no sense."""
    way_in = Gateway(gateway.inside_socket, gateway.port) if gateway else None
    return ChosenContainers(
        _sandbox(settings, home, runtime_home, way_in),
        None if settings.runtime == "process" else _engine(settings, runtime_home, way_in),
    )


def end_strays(settings: Settings, runtime_home: Home, known: Sequence[str]) -> None:
    """End containers of this home that no run knows any more: what made them was killed before it could note it."""
    if settings.runtime == "process" or not _state(runtime_home).is_dir():
        return  # no engine was ever used here, so that none has to be asked
    try:
        engine = _engine(settings, runtime_home, None)()
        if engine and (ended := engine.end_all_but(known)):
            _logger.warning("ended containers that nobody knew any more: %s", ", ".join(ended))
    except (OSError, ImageAway) as error:
        _logger.warning("containers that nobody knows any more could not be looked for: %s", error)


def _engine(settings: Settings, runtime_home: Home, gateway: Gateway | None) -> Callable[[], EngineContainers | None]:
    """Asked for only when a container needs it: finding one takes a while."""
    engines = Engines(settings.container_engine)
    options = EngineOptions(
        owner=sha256(str(runtime_home.path).encode()).hexdigest()[:16],
        state=_state(runtime_home),
        gateway=gateway,
        create_options=settings.container_engine_options,
        pull_options=settings.container_pull_options,
        pull_seconds=settings.image_pull_seconds,
        processes=settings.container_processes,
        reach=Reach(settings.image_registry_hosts),
    )

    made: list[EngineContainers] = []  # one for all: it holds locks

    def found() -> EngineContainers | None:
        client = engines.client()
        if client and not made:
            made.append(EngineContainers(client, options))
        return made[0] if client else None

    return found


def _state(runtime_home: Home) -> Path:
    return runtime_home.run / "containers"


def _sandbox(settings: Settings, home: Home, runtime_home: Home, gateway: Gateway | None) -> SandboxContainers | None:
    if settings.runtime == "container":
        return None
    hidden = sorted({home.path, runtime_home.path})
    cache = runtime_home.cache / "uv"
    environments = Environments(runtime_home.environments, cache, settings.environment_seconds, hidden)
    return SandboxContainers(
        stand_ins(settings),
        environments,
        gateway=gateway,
        hidden=hidden,
        jobs_network=settings.sandbox_jobs_network,
        allow_unsandboxed=settings.allow_unsandboxed,
    )
