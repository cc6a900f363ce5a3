"""A real server with the API in it, on a free port of the loopback interface, and a controller played by the test."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from mooring.api.app import create_app
from mooring.api.context import ApiContext
from mooring.api.tokens import TokenIssuer
from mooring.domain.lifecycle import Status
from mooring.runtimes.base import LogLine
from mooring.services import catalog, clients
from mooring.services.clients import NewClient
from mooring.store import migrate
from mooring.store.database import Database
from mooring.store.tables import Deployment, Replica
from mooring.store.types import utc_now
from mooring.store.vault import KEY_BYTES, Vault

START_SECONDS = 20.0
MODEL_URI = "models:/wine/1"


@dataclass
class Logs:
    """What replicas have written, by replica id."""

    lines: dict[str, list[LogLine]] = field(default_factory=dict)

    def __call__(self, replica_id: str, *, start: datetime, end: datetime, newest_first: bool) -> Iterator[LogLine]:
        found = [line for line in self.lines.get(replica_id, []) if start <= line.timestamp <= end]
        return iter(sorted(found, key=lambda line: line.timestamp, reverse=newest_first))


@dataclass
class Server:
    """A server that runs, and what tests need of its inside."""

    url: str
    context: ApiContext
    client: NewClient
    logs: Logs
    wakes: list[None]

    @property
    def database(self) -> Database:
        return self.context.database

    def http(self, group: str | None = None, *, token: bool = True) -> httpx.Client:
        """A raw client; with a token unless told otherwise."""
        headers = {"AI-Resource-Group": group} if group else {}
        if token:
            headers["Authorization"] = f"Bearer {self.context.tokens.issue(self.client.id).value}"
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def act(self, deployment_id: str, status: Status, message: str = "") -> None:
        """Do to a deployment's row what the controller would do."""
        with self.database.transaction() as session:
            row = session.get_one(Deployment, deployment_id)
            row.status, row.status_message = status.value, message
            if status is Status.RUNNING:
                row.latest_running_configuration_id = row.configuration_id
                row.start_time = utc_now()

    def add_replica(self, deployment_id: str, replica_id: str, lines: list[LogLine]) -> None:
        """A replica of the newest revision, which has written these lines."""
        with self.database.transaction() as session:
            revision = session.get_one(Deployment, deployment_id).revisions[-1]
            revision.replicas.append(Replica(id=replica_id))
        self.logs.lines[replica_id] = lines


@contextmanager
def running_server(folder: Path, **changes: Any) -> Iterator[Server]:
    """Start one with a database of its own; `changes` replace fields of the context."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    database = Database(f"sqlite:///{folder / 'mooring.db'}")
    migrate.upgrade(database)
    with database.transaction() as session:
        catalog.install(session)
        client = clients.create(session)
    logs, wakes = Logs(), list[None]()
    context = ApiContext(
        database=database,
        tokens=TokenIssuer(folder, url, "mooring", 43199),
        vault=Vault(bytes(KEY_BYTES)),
        public_url=url,
        wake=lambda: wakes.append(None),
        logs=logs,
        ready=lambda: True,
        max_request_bytes=20_000_000,
    )
    context = replace(context, **changes)
    with _serving(context, listener):
        yield Server(url, context, client, logs, wakes)
    database.close()


@contextmanager
def _serving(context: ApiContext, listener: socket.socket) -> Iterator[None]:
    config = uvicorn.Config(create_app(context), lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            assert thread.is_alive(), "the server has died"
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)
        listener.close()


def new_configuration(http: httpx.Client, model_uri: str = MODEL_URI, name: str = "wine") -> str:
    """A configuration of the built-in executable."""
    body = {
        "name": name,
        "scenarioId": "mooring",
        "executableId": "model-server",
        "parameterBindings": [{"key": "modelUri", "value": model_uri}],
    }
    answer = http.post("/v2/lm/configurations", json=body)
    assert answer.status_code == 201, answer.text
    configuration_id: str = answer.json()["id"]
    return configuration_id


def new_deployment(http: httpx.Client, configuration_id: str | None = None, **more: object) -> str:
    """A deployment of a configuration, new unless given."""
    body = {"configurationId": configuration_id or new_configuration(http), **more}
    answer = http.post("/v2/lm/deployments", json=body)
    assert answer.status_code == 202, answer.text
    deployment_id: str = answer.json()["id"]
    return deployment_id
