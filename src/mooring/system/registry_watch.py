"""The builder, wired to this installation: its own client of the AI API, its webhook, its thread."""

import hashlib
import logging
import re
import threading
from collections.abc import Mapping

import httpx
from sqlalchemy.exc import SQLAlchemyError

from mooring.builder.builder import Builder
from mooring.builder.mlflow import RegistryClient
from mooring.client.client import AIClient
from mooring.controllers.work_lease import NamedLease
from mooring.home import Home
from mooring.services import clients
from mooring.settings import Settings
from mooring.store.database import Database
from mooring.system import sharing, webhook_secrets
from mooring.system.address import Address
from mooring.system.runtime_place import this_machine

BUILDER_CLIENT = "mooring-builder"
WEBHOOK_PATH = "/webhooks/mlflow"
_LEASE = "builder"
_STOP_SECONDS = 10.0
_RETRY_SECONDS = 60.0
_RESUBSCRIBE_SECONDS = 600.0
_FETCH_SECONDS = 1800.0
"""A large model may take long to fetch before its replica is started."""
_logger = logging.getLogger("mooring.system")


class RegistryWatch:
    """Watches one registry from `start` to `stop`: while no other control plane of the store does."""

    def __init__(self, settings: Settings, home: Home, address: Address, database: Database, mlflow_uri: str) -> None:
        self._settings = settings
        self._public_url = address.public_url
        self._sightings = sharing.runtime_home(home).sightings
        self._registry = RegistryClient(mlflow_uri)
        self._client = _own_client(settings, home, database)
        self._secret = webhook_secrets.of_registry(home)
        self._lease = NamedLease(database, _LEASE, seconds=settings.lease_seconds)
        self._look_seconds = settings.lease_seconds / 3
        self._builder: Builder | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="registry-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def receive(self, headers: Mapping[str, str], body: bytes) -> bool:
        """A webhook's delivery: whether its signature is right (only who watches knows that)."""
        builder = self._builder
        return builder is not None and builder.handle_webhook(headers, body)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(2 * _STOP_SECONDS)
        self._client.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._is_ours():
                self._watch()
            self._stopping.wait(self._look_seconds)

    def _is_ours(self) -> bool:
        try:
            return self._lease.take()
        except SQLAlchemyError as error:
            _logger.warning("the store does not say who watches the registry: %s", error)
            return False

    def _watch(self) -> None:
        """Until it is somebody else's turn, or nobody's."""
        over = threading.Event()
        self._builder = builder = self._new_builder()
        threads = [
            threading.Thread(target=builder.run, args=(over,), name="builder", daemon=True),
            threading.Thread(target=self._keep_subscribed, args=(builder, over), name="builder-webhook", daemon=True),
        ]
        for thread in threads:
            thread.start()
        while not self._stopping.wait(self._look_seconds) and self._is_ours():
            pass
        self._builder = None
        over.set()
        builder.wake()
        for thread in threads:
            thread.join(_STOP_SECONDS)
        self._give_back()

    def _give_back(self) -> None:
        try:
            self._lease.give_back()
        except SQLAlchemyError as error:
            _logger.warning("the right to watch the registry has to run out: %s", error)

    def _new_builder(self) -> Builder:
        return Builder(
            self._registry,
            self._client,
            public_url=self._public_url,
            poll_seconds=self._settings.builder_poll_seconds,
            deploy_timeout_seconds=self._settings.replica_start_seconds + _FETCH_SECONDS,
            webhook_secret=self._secret,
            sightings_file=self._sightings,
        )

    def _keep_subscribed(self, builder: Builder, over: threading.Event) -> None:
        """Polling works without; so it is tried quietly, and again in case the registry has forgotten us."""
        pause, url = 0.0, f"{self._public_url}{WEBHOOK_PATH}"
        while not over.wait(pause):
            try:
                pause = _RESUBSCRIBE_SECONDS if builder.subscribe(url) else _RETRY_SECONDS
            except Exception:  # an answer that nobody expected must not end the thread
                _logger.exception("cannot ask MLflow for a webhook; trying again")
                pause = _RETRY_SECONDS


def is_internal(client_id: str) -> bool:
    """Whether it is the id of a builder's client."""
    return re.fullmatch(rf"{BUILDER_CLIENT}(-[0-9a-f]{{16}})?", client_id) is not None


def _client_id(settings: Settings, home: Home) -> str:
    """One per home of a shared store: who starts takes no other builder's secret away."""
    if settings.database_url is None:
        return BUILDER_CLIENT
    return f"{BUILDER_CLIENT}-{hashlib.sha256(f'{this_machine()} {home.path}'.encode()).hexdigest()[:16]}"


def _own_client(settings: Settings, home: Home, database: Database) -> AIClient:
    """Straight to the control plane's socket, with a secret that exists only in this process."""
    with database.transaction() as session:
        client = clients.renew(session, _client_id(settings, home))
    return AIClient(
        base_url="http://control-plane/v2",
        auth_url="http://control-plane/oauth/token",
        client_id=client.id,
        client_secret=client.secret,
        resource_group=settings.builder_resource_group,
        transport=httpx.HTTPTransport(uds=str(home.control_socket)),
    )
