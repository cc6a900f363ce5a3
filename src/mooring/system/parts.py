"""From settings to the options of each part."""

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from mooring import processes
from mooring.api.tokens import TokenIssuer
from mooring.artifacts.cache import ModelCache
from mooring.artifacts.storage_cache import StorageCache
from mooring.artifacts.store_transfers import StoreTransfers
from mooring.controllers.applications import ApplicationController
from mooring.controllers.job_options import JobOptions
from mooring.controllers.launch import LaunchOptions
from mooring.controllers.routing import Neighbours
from mooring.controllers.service import ControllerOptions
from mooring.domain.views import Policy
from mooring.gateway.options import GatewayOptions
from mooring.gateway.tokens import CLOCK_SKEW_SECONDS
from mooring.gitops.access import RepositoryAccess
from mooring.gitops.program import GitProgram
from mooring.gitops.repositories import Repositories
from mooring.home import Home
from mooring.processes import ProcessId
from mooring.runtimes.process import memory
from mooring.runtimes.process.runtime import ProcessRuntime
from mooring.services import nodes
from mooring.services.room import Limits as RoomLimits
from mooring.services.room import Rooms
from mooring.services.signing_keys import SigningKey
from mooring.settings import Settings
from mooring.store.database import Database, UnknownStore, kind_of
from mooring.store.postgresql import Limits
from mooring.store.vault import Vault
from mooring.system.address import Address
from mooring.system.errors import CannotStart

SERVER_STOP_SECONDS = 10.0
MLFLOW_START_SECONDS = 90.0
LONGEST_API_BODY_BYTES = 8 * 1024 * 1024
"""As at the gateway (`gateway/control_plane_routes.py`), which cannot count a body whose length is not announced."""
_ISSUER = _AUDIENCE = "mooring"


def open_database(settings: Settings, home: Home) -> Database:
    """The operator's store, else a SQLite file in the home. Raises CannotStart."""
    limits = Limits(
        connect_seconds=settings.database_connect_seconds,
        statement_seconds=settings.database_statement_seconds,
        connections=settings.database_connections,
    )
    try:
        return Database(_url(settings, home), limits)
    except UnknownStore as error:
        raise _wrong_url(error) from None


def kind_of_store(settings: Settings, home: Home) -> str:
    """`sqlite` or `postgresql`. Raises CannotStart for a URL of anything else."""
    try:
        return kind_of(_url(settings, home))
    except UnknownStore as error:
        raise _wrong_url(error) from None


def way_out(database: Database) -> str:
    """What to do about a store that cannot be used."""
    if database.kind == "postgresql":
        return "See that PostgreSQL runs, and that --database-url (MOORING_DATABASE_URL) is right."
    return "Free its disk, or restore a backup."


def token_issuer(settings: Settings, keys: Sequence[SigningKey]) -> TokenIssuer:
    """Its issuer is the same for all control planes, and stays when the address changes."""
    return TokenIssuer(keys, _ISSUER, _AUDIENCE, settings.token_lifetime_seconds)


def longest_token(settings: Settings) -> timedelta:
    """A token that was issued longer ago than this has run out for everybody, whatever their clocks say."""
    return timedelta(seconds=settings.token_lifetime_seconds + CLOCK_SKEW_SECONDS)


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


def rooms(settings: Settings, runtime: ProcessRuntime) -> Rooms:
    """Of this machine."""
    limits = RoomLimits(settings.memory_reserve_bytes, settings.replica_memory_bytes, settings.group_replicas)
    return Rooms(limits, memory.free_bytes, runtime.memory_bytes)


def application_controller(
    settings: Settings, home: Home, database: Database, vault: Vault, access: RepositoryAccess
) -> ApplicationController:
    """Syncs applications; what was fetched lies in the home."""
    git = GitProgram(home.repositories, settings.git_seconds, settings.git_repository_bytes)
    every = timedelta(seconds=settings.sync_seconds)
    repositories = Repositories(home.repositories, git, access)
    repositories.clean()
    return ApplicationController(database, vault, repositories, every)


def git_folders(settings: Settings) -> tuple[Path, ...]:
    """Below which repositories may be read, as clients name them."""
    return tuple(folder.expanduser().absolute() for folder in settings.git_folders)


def controller_options(
    settings: Settings,
    home: Home,
    mlflow_uri: str | None,
    keep_running: Sequence[Callable[[], None]],
    neighbours: Neighbours | None,
    *,
    vault: Vault,
    transfers: StoreTransfers,
    address: Address,
) -> ControllerOptions:
    """`home` is the one in which the replicas lie."""
    return ControllerOptions(
        policy=Policy(
            start=timedelta(seconds=settings.replica_start_seconds),
            standby=timedelta(seconds=settings.standby_seconds),
            drain=timedelta(seconds=settings.drain_seconds),
            prepare=timedelta(seconds=settings.prepare_seconds),
            silence=timedelta(seconds=settings.silence_seconds),
            crash_limit=settings.crash_limit,
            crash_window=timedelta(seconds=settings.crash_window_seconds),
            dead=timedelta(days=settings.dead_days),
            unready=timedelta(seconds=settings.rollout_unready_seconds),
        ),
        launch=LaunchOptions(
            open_files=settings.replica_open_files,
            stop_grace_seconds=settings.replica_stop_seconds,
            request_seconds=settings.request_timeout_seconds,
            max_request_bytes=settings.max_request_bytes,
            journals=home.journals,
            workspaces=home.workspaces,
        ),
        jobs=JobOptions(
            workspaces=home.jobs,
            public_url=address.public_url,
            machine=nodes.this_machine(),
            patience=timedelta(seconds=settings.prepare_seconds),
            open_files=settings.replica_open_files,
            stop_grace_seconds=settings.replica_stop_seconds,
            at_once=settings.jobs_at_once,
            execution_seconds=settings.execution_seconds,
        ),
        cache=ModelCache(home.cache / "models", mlflow_uri),
        storage=StorageCache(home.cache / "storage", transfers),
        transfers=transfers,
        vault=vault,
        models_group=settings.builder_resource_group,
        token_lifetime=longest_token(settings),
        steady_seconds=settings.control_loop_seconds,
        lease_seconds=settings.lease_seconds,
        catch_up=timedelta(seconds=settings.schedule_catch_up_seconds),
        keep_running=keep_running,
        neighbours=neighbours,
    )


def record_control_plane(settings: Settings, home: Home, *, ready: bool) -> None:
    """Tell `mooring status` and `mooring down` which process this is. Raises CannotStart."""
    here = processes.identify(os.getpid()) or ProcessId(os.getpid(), -1)
    processes.write_record(home.control_plane_record, here, ready=ready, store=kind_of_store(settings, home))


def _url(settings: Settings, home: Home) -> str:
    return settings.database_url.get_secret_value() if settings.database_url else f"sqlite:///{home.database}"


def _wrong_url(error: UnknownStore) -> CannotStart:
    return CannotStart(f"{error}: correct --database-url or MOORING_DATABASE_URL")
