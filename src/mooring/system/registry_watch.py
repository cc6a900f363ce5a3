"""The builder, wired to this installation: its own client of the AI API, its webhook, its thread."""

import logging
import secrets
import threading
from collections.abc import Mapping

import httpx

from mooring.builder.builder import Builder
from mooring.builder.mlflow import RegistryClient
from mooring.client.client import AIClient
from mooring.files import write_atomically
from mooring.home import Home
from mooring.services import clients
from mooring.settings import Settings
from mooring.store.database import Database
from mooring.system.address import Address

BUILDER_CLIENT = "mooring-builder"
WEBHOOK_PATH = "/webhooks/mlflow"
_STOP_SECONDS = 10.0
_RETRY_SECONDS = 60.0
_RESUBSCRIBE_SECONDS = 600.0
_FETCH_SECONDS = 1800.0
"""A large model may take long to fetch before its replica is started."""
_logger = logging.getLogger("mooring.system")


class RegistryWatch:
    """Watches one registry from `start` to `stop`."""

    def __init__(self, settings: Settings, home: Home, address: Address, database: Database, mlflow_uri: str) -> None:
        self._registry = RegistryClient(mlflow_uri)
        self._client = _own_client(settings, home, database)
        self._webhook_url = f"{address.public_url}{WEBHOOK_PATH}"
        self._secret = _webhook_secret(home)
        self._builder = Builder(
            self._registry,
            self._client,
            public_url=address.public_url,
            poll_seconds=settings.builder_poll_seconds,
            deploy_timeout_seconds=settings.replica_start_seconds + _FETCH_SECONDS,
            webhook_secret=self._secret,
            sightings_file=home.sightings,
        )
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._builder.run, args=(self._stopping,), name="builder", daemon=True),
            threading.Thread(target=self._keep_subscribed, name="builder-webhook", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def receive(self, headers: Mapping[str, str], body: bytes) -> bool:
        """A webhook's delivery: whether its signature is right."""
        return self._builder.handle_webhook(headers, body)

    def stop(self) -> None:
        self._stopping.set()
        self._builder.wake()
        for thread in self._threads:
            thread.join(_STOP_SECONDS)
        self._client.close()

    def _keep_subscribed(self) -> None:
        """Polling works without; so it is tried quietly, and again in case the registry has forgotten us."""
        pause = 0.0
        while not self._stopping.wait(pause):
            try:
                pause = _RESUBSCRIBE_SECONDS if self._builder.subscribe(self._webhook_url) else _RETRY_SECONDS
            except Exception:  # an answer that nobody expected must not end the thread
                _logger.exception("cannot ask MLflow for a webhook; trying again")
                pause = _RETRY_SECONDS


def _own_client(settings: Settings, home: Home, database: Database) -> AIClient:
    """Straight to the control plane's socket, with a secret that exists only in this process."""
    with database.transaction() as session:
        client = clients.renew(session, BUILDER_CLIENT)
    return AIClient(
        base_url="http://control-plane/v2",
        auth_url="http://control-plane/oauth/token",
        client_id=client.id,
        client_secret=client.secret,
        resource_group=settings.builder_resource_group,
        transport=httpx.HTTPTransport(uds=str(home.control_socket)),
    )


def _webhook_secret(home: Home) -> str:
    path = home.keys / "webhook.secret"
    if not path.exists():
        write_atomically(path, secrets.token_urlsafe(32).encode(), durable=True)
    return path.read_text()
