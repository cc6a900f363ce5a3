"""The control plane of one installation: started top to bottom, stopped bottom to top."""

import logging
import os
from collections.abc import Callable
from functools import partial

from sqlalchemy.exc import DBAPIError

from mooring import processes
from mooring.api.app import create_app
from mooring.api.context import ApiContext
from mooring.api.tokens import TokenIssuer
from mooring.artifacts.object_stores.stores import ObjectStores
from mooring.artifacts.store_transfers import StoreTransfers
from mooring.controllers.routing import Neighbours
from mooring.controllers.service import Controllers
from mooring.files import write_atomically
from mooring.gateway.gateway import Gateway
from mooring.gitops.access import RepositoryAccess
from mooring.home import Home
from mooring.network.calls import Calls
from mooring.network.reach import Reach
from mooring.runtimes.process.runtime import ProcessRuntime
from mooring.services import catalog, clients, resource_groups
from mooring.services.datasets import LARGEST_BYTES
from mooring.settings import Settings
from mooring.store.database import Database
from mooring.store.migrate import upgrade
from mooring.store.types import utc_now
from mooring.store.vault import Vault
from mooring.system import containers, data_plane, encryption, parts, runtime_place, sharing, webhook_secrets
from mooring.system.address import check_port_is_free, choose_address, keep_address, kept_address
from mooring.system.control_server import ControlServer
from mooring.system.destination_key import ensure_destination_key
from mooring.system.errors import CannotStart
from mooring.system.lock import HomeLock
from mooring.system.logs import write_logs_to
from mooring.system.mlflow_server import MlflowServer
from mooring.system.neighbours import SharingHomes
from mooring.system.registry_watch import RegistryWatch
from mooring.system.service_key import ensure_service_key
from mooring.system.token_keys import KeyWatch, take_keys

Report = Callable[[str], None]
_ONLY_FOR_US = 0o077
_logger = logging.getLogger("mooring.system")


class Installation:
    """Everything that `mooring up` runs. Gateway, MLflow and replicas outlive it and are adopted by the next."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.home = Home(settings.home)
        self.mlflow_url = settings.mlflow_uri
        self._lock = HomeLock(self.home)
        self._own_mlflow = MlflowServer(self.home) if settings.with_mlflow else None
        self._undo: list[Callable[[], None]] = []
        self._began: list[Callable[[], None]] = []

    def start(self, report: Report) -> None:
        """Start or adopt all parts; `report` is told what is being done. Raises CannotStart, OSError."""
        os.umask(_ONLY_FOR_US)
        self.home.create()
        self._lock.take()
        self._undo.append(self._lock.release)
        parts.record_control_plane(self.settings, self.home, ready=False)
        write_logs_to(self.home.logs / "control-plane.log")
        self.address = choose_address(self.settings, self.home)
        if not self._gateway_is_adopted():
            check_port_is_free(self.address)
        self._start_mlflow(report)  # early, because it takes longest; it is waited for last

        report("opening the store")
        vault = encryption.open_vault(self.settings, self.home)
        database = self._open_store(vault)
        runtime_home = self._find_replicas(database)
        keys = take_keys(database, vault, self.home)
        tokens = parts.token_issuer(self.settings, keys)
        report("starting the gateway")
        options = parts.gateway_options(self.settings, self.home, self.address, tokens)
        gateway = Gateway(options)
        self._start_gateway(gateway)
        write_atomically(self.home.gateway_options, options.to_json())
        # Only now: a key must not name an address that belongs to somebody else.
        ensure_service_key(self.home, database, self.address.public_url)
        ensure_destination_key(self.home, database, self.address.public_url)
        keep_address(self.home, self.address)

        report("adopting what runs")
        images = containers.containers(self.settings, self.home, runtime_home, options)
        runtime = data_plane.process_runtime(self.settings, runtime_home, images, starts=True)
        if not self._is_shared:  # else another control plane may just be making one
            containers.end_strays(self.settings, runtime_home, runtime.replicas())
        stores = self._object_stores(database)
        keep_running = self._upkeep(database, runtime_home, KeyWatch(database, vault, tokens, gateway, keys))
        controllers = Controllers(
            database,
            runtime,
            gateway,
            parts.application_controller(self.settings, self.home, database, vault, self._way_to_repositories()),
            parts.controller_options(
                self.settings,
                runtime_home,
                self.mlflow_url,
                keep_running,
                self._neighbours(),
                vault=vault,
                transfers=StoreTransfers(stores.objects),
                address=self.address,
            ),
        )
        watch = self._registry_watch(database)
        self._serve(database, tokens, vault, runtime, stores, controllers, watch)
        controllers.start()
        self._undo.append(controllers.stop)
        if watch:
            self._start_watch(watch, report)
        parts.record_control_plane(self.settings, self.home, ready=True)
        _logger.info("started in %s, reachable at %s", self.home.path, self.address.public_url)

    def close(self) -> None:
        """End the control plane only; traffic goes on."""
        _run_backwards(self._undo)

    def abandon(self) -> None:
        """After a start that failed: end the control plane, and what it has begun (not what it has adopted)."""
        self.close()
        _run_backwards(self._began)

    # --- the parts ---------------------------------------------------------------------------------------------------

    def _start_mlflow(self, report: Report) -> None:
        if self._own_mlflow is None:
            return
        report("starting MLflow")
        if self._own_mlflow.process() is None:
            self._began.append(partial(self._own_mlflow.stop, grace_seconds=2))
        self._own_mlflow.start()
        self.mlflow_url = self._own_mlflow.url

    def _open_store(self, vault: Vault) -> Database:
        database = parts.open_database(self.settings, self.home)
        self._undo.append(database.close)
        try:
            upgrade(database)
            with database.transaction() as session:
                catalog.install(session)
                encryption.require_key_of_store(session, vault)
                clients.purge(session, deleted_before=utc_now() - parts.longest_token(self.settings))
        except DBAPIError as error:
            raise CannotStart(f"the store cannot be used: {error.orig}. {parts.way_out(database)}") from error
        return database

    def _start_gateway(self, gateway: Gateway) -> None:
        if not gateway.is_alive():
            self._began.append(partial(gateway.stop, grace_seconds=0))
        gateway.ensure_running()

    def _gateway_is_adopted(self) -> bool:
        """Whether a gateway runs that listens where it is to listen."""
        kept = kept_address(self.home)
        here = kept is not None and (kept.host, kept.port) == (self.address.host, self.address.port)
        return here and processes.running(self.home.gateway_record) is not None

    def _find_replicas(self, database: Database) -> Home:
        """The home in which they lie. Raises CannotStart."""
        if not self._is_shared:
            sharing.leave(self.home)
            runtime_place.clear_leases(database)
            return self.home
        runtime = runtime_place.take_place(database, self.home)
        with sharing.exclusively(runtime, "sharing"):
            sharing.share(self.home, runtime)
            if not sharing.control_planes_run(sharing.others(self.home)):
                runtime_place.clear_leases(database)
        return runtime

    @property
    def _is_shared(self) -> bool:
        """Whether other control planes may use the store, too."""
        return self.settings.database_url is not None

    def _neighbours(self) -> Neighbours | None:
        return SharingHomes(self.home) if self._is_shared else None

    def _upkeep(self, database: Database, runtime_home: Home, keys: KeyWatch) -> list[Callable[[], None]]:
        """What is looked after all the time."""
        tasks = [self.home.keep_sockets_reachable, keys.look]
        if self._own_mlflow:
            tasks.append(self._own_mlflow.start)
        if self._is_shared:
            tasks += [runtime_home.keep_sockets_reachable, partial(runtime_place.keep_place, database)]
        return tasks

    def _registry_watch(self, database: Database) -> RegistryWatch | None:
        if self.mlflow_url is None:
            return None
        return RegistryWatch(self.settings, self.home, self.address, database, self.mlflow_url)

    def _start_watch(self, watch: RegistryWatch, report: Report) -> None:
        if self._own_mlflow:
            report("waiting for MLflow")
            self._own_mlflow.wait_until_ready(parts.MLFLOW_START_SECONDS)
        watch.start()
        self._undo.append(watch.stop)

    def _serve(
        self,
        database: Database,
        tokens: TokenIssuer,
        vault: Vault,
        runtime: ProcessRuntime,
        stores: ObjectStores,
        controllers: Controllers,
        watch: RegistryWatch | None,
    ) -> None:
        context = ApiContext(
            database=database,
            tokens=tokens,
            vault=vault,
            public_url=self.address.public_url,
            wake=controllers.wake,
            logs=runtime.logs,
            max_request_bytes=min(self.settings.max_request_bytes, parts.LONGEST_API_BODY_BYTES),
            object_stores=stores,
            max_dataset_bytes=min(self.settings.max_request_bytes, LARGEST_BYTES),
            git_webhook_secret=webhook_secrets.of_git(self.settings, self.home),
            outside=self._way_to_destinations(),
            route=controllers.publish,
            webhook=watch.receive if watch else None,
            ready=controllers.is_ready,
            local_model_folders=self.settings.model_folders,
            local_git_folders=parts.git_folders(self.settings),
            max_resource_groups=self.settings.max_resource_groups,
            rooms=parts.rooms(self.settings, runtime),
        )
        server = ControlServer(create_app(context), self.home.control_socket, stop_seconds=parts.SERVER_STOP_SECONDS)
        server.start()
        self._undo.append(server.stop)

    def _way_to_destinations(self) -> Calls:
        calls = Calls(Reach(self.settings.destination_hosts), self.address.public_url)
        self._undo.append(calls.close)
        return calls

    def _way_to_repositories(self) -> RepositoryAccess:
        access = RepositoryAccess(Reach(self.settings.git_hosts), parts.git_folders(self.settings))
        self._undo.append(access.close)
        return access

    def _object_stores(self, database: Database) -> ObjectStores:
        stores = ObjectStores(sharing.runtime_home(self.home).object_store, Reach(self.settings.object_store_hosts))
        self._undo.append(stores.close)
        with database.reading() as session:
            groups = resource_groups.every_id(session)
        stores.clean(groups)
        return stores


def _run_backwards(steps: list[Callable[[], None]]) -> None:
    while steps:
        step = steps.pop()
        try:
            step()
        except Exception:  # the other parts must be closed all the same
            _logger.exception("closing failed: %s", step)
