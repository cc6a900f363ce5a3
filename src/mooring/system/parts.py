"""From settings to the options of each part."""

import os
from collections.abc import Callable, Sequence
from datetime import timedelta

from mooring import processes
from mooring.api.tokens import TokenIssuer
from mooring.artifacts.cache import ModelCache
from mooring.controllers.launch import LaunchOptions
from mooring.controllers.service import ControllerOptions
from mooring.domain.views import Policy
from mooring.gateway.gateway import Gateway
from mooring.gateway.options import GatewayOptions
from mooring.home import Home
from mooring.processes import ProcessId
from mooring.runtimes.process.runtime import ProcessRuntime
from mooring.settings import Settings
from mooring.system.address import Address, kept_address

SERVER_STOP_SECONDS = 10.0
MLFLOW_START_SECONDS = 90.0
LONGEST_API_BODY_BYTES = 8 * 1024 * 1024
"""As at the gateway (`gateway/control_plane_routes.py`), which cannot count a body whose length is not announced."""
_ISSUER = _AUDIENCE = "mooring"


def database_url(settings: Settings, home: Home) -> str:
    """The operator's, else a SQLite file in the home."""
    return settings.database_url.get_secret_value() if settings.database_url else f"sqlite:///{home.database}"


def token_issuer(settings: Settings, home: Home) -> TokenIssuer:
    """Its issuer is the home's own name, which stays when the address changes."""
    return TokenIssuer(home.keys, _ISSUER, _AUDIENCE, settings.token_lifetime_seconds)


def gateway_options(settings: Settings, home: Home, address: Address, tokens: TokenIssuer) -> GatewayOptions:
    return GatewayOptions(
        directory=home.gateway,
        log=home.logs / "gateway.log",
        sockets=home.sockets,
        host=address.host,
        port=address.port,
        control_plane=home.control_socket,
        key_set=tokens.key_set(),
        issuer=_ISSUER,
        audience=_AUDIENCE,
        request_timeout_seconds=settings.request_timeout_seconds,
        max_request_bytes=settings.max_request_bytes,
        start_seconds=settings.gateway_start_seconds,
    )


def known_gateway(settings: Settings, home: Home) -> Gateway | None:
    """The gateway of a home that was started before, to end it."""
    address = kept_address(home)
    return Gateway(gateway_options(settings, home, address, token_issuer(settings, home))) if address else None


def process_runtime(settings: Settings, home: Home) -> ProcessRuntime:
    return ProcessRuntime(folder=home.replicas, sockets=home.sockets, log_file_bytes=settings.log_file_bytes)


def controller_options(
    settings: Settings, home: Home, mlflow_uri: str | None, keep_running: Sequence[Callable[[], None]]
) -> ControllerOptions:
    return ControllerOptions(
        policy=Policy(
            start=timedelta(seconds=settings.replica_start_seconds),
            standby=timedelta(seconds=settings.standby_seconds),
            drain=timedelta(seconds=settings.drain_seconds),
            prepare=timedelta(seconds=settings.prepare_seconds),
            silence=timedelta(seconds=settings.silence_seconds),
            crash_limit=settings.crash_limit,
            crash_window=timedelta(seconds=settings.crash_window_seconds),
        ),
        launch=LaunchOptions(
            open_files=settings.replica_open_files,
            stop_grace_seconds=settings.replica_stop_seconds,
            request_seconds=settings.request_timeout_seconds,
            max_request_bytes=settings.max_request_bytes,
            journals=home.journals,
        ),
        cache=ModelCache(home.cache / "models", mlflow_uri),
        models_group=settings.builder_resource_group,
        steady_seconds=settings.control_loop_seconds,
        lease_seconds=settings.lease_seconds,
        alone=settings.database_url is None,
        keep_running=(home.keep_sockets_reachable, *keep_running),
    )


def record_control_plane(home: Home, *, ready: bool) -> None:
    """Tell `mooring status` and `mooring down` which process this is."""
    here = processes.identify(os.getpid())
    processes.write_record(home.control_plane_record, here or ProcessId(os.getpid(), -1), ready=ready)
