"""A real server with the API in it, on a free port of the loopback interface, and a controller played by the test."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from mooring.api.app import create_app
from mooring.api.context import ApiContext
from mooring.api.tokens import TokenIssuer
from mooring.artifacts.object_stores.stores import ObjectStores
from mooring.domain.identifiers import new_uuid
from mooring.domain.lifecycle import Status
from mooring.domain.roles import ALL_GROUPS, Role
from mooring.network.calls import Calls
from mooring.network.reach import Reach
from mooring.runtimes.base import LogLine
from mooring.services import catalog, clients, signing_keys
from mooring.services.clients import NewClient
from mooring.store import migrate
from mooring.store.database import Database
from mooring.store.tables import Artifact, Deployment, Executable, Execution, Replica, Scenario
from mooring.store.types import utc_now
from mooring.store.vault import KEY_BYTES, Vault

START_SECONDS = 20.0
GIT_WEBHOOK_SECRET = "whoever-pushes-knows-this"
MODEL_URI = "models:/wine/1"
on_one_store = pytest.mark.parametrize("session_store", ["sqlite"], indirect=True, scope="session")
"""For what is decided before the store is asked."""


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
    routed: list[None]
    """How often the gateway was told of a destination."""

    @property
    def database(self) -> Database:
        return self.context.database

    def http(self, group: str | None = None, *, token: bool = True) -> httpx.Client:
        """A raw client; with a token unless told otherwise."""
        headers = {"AI-Resource-Group": group} if group else {}
        if token:
            headers["Authorization"] = f"Bearer {self.context.tokens.issue(self.client.id).value}"
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def http_as(self, role: Role, groups: Sequence[str] = (ALL_GROUPS,), *, group: str | None = None) -> httpx.Client:
        """A raw client of a new client of the API, with this role and bound to these resource groups."""
        with self.database.transaction() as session:
            made = clients.create(session, role=role, groups=groups)
        token = self.context.tokens.issue(made.id, role, groups).value
        headers = {"AI-Resource-Group": group} if group else {}
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}", **headers}, timeout=30)

    def act(self, deployment_id: str, status: Status, message: str = "") -> None:
        """Do to a deployment's row what the controller would do."""
        with self.database.transaction() as session:
            row = session.get_one(Deployment, deployment_id)
            row.status, row.status_message = status.value, message
            if status is Status.RUNNING:
                row.latest_running_configuration_id = row.configuration_id
                row.start_time = utc_now()

    def act_on_execution(self, execution_id: str, status: Status, outputs: Sequence[str] = ()) -> list[str]:
        """Do to an execution's row what its controller would do; returns the ids of its output artifacts."""
        with self.database.transaction() as session:
            row = session.get_one(Execution, execution_id)
            row.status, row.status_details = status.value, {"jobs": []}
            facts = {"resource_group": row.resource_group, "scenario_id": row.scenario_id, "execution_id": row.id}
            made = [
                Artifact(id=new_uuid(), name=name, kind="model", url=f"ai://default/{row.id}/{name}", **facts)
                for name in outputs
            ]
            session.add_all(made)
            return [artifact.id for artifact in made]

    def add_replica(self, deployment_id: str, replica_id: str, lines: list[LogLine]) -> None:
        """A replica of the newest revision, which has written these lines."""
        with self.database.transaction() as session:
            revision = session.get_one(Deployment, deployment_id).revisions[-1]
            revision.replicas.append(Replica(id=replica_id))
        self.logs.lines[replica_id] = lines


@contextmanager
def running_server(folder: Path, store: str | None = None, **changes: Any) -> Iterator[Server]:
    """Start one on this store, or on one in the folder; `changes` replace fields of the context."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    database = Database(store or f"sqlite:///{folder / 'mooring.db'}")
    migrate.upgrade(database)
    with database.transaction() as session:
        catalog.install(session)
        client = clients.create(session)
    logs, wakes, routed = Logs(), list[None](), list[None]()
    context = ApiContext(
        database=database,
        tokens=TokenIssuer([signing_keys.generate()], url, "mooring", 43199),
        vault=Vault(bytes(KEY_BYTES)),
        public_url=url,
        wake=lambda: wakes.append(None),
        logs=logs,
        ready=lambda: True,
        max_request_bytes=20_000_000,
        max_resource_groups=1_000_000,  # each test makes one or more
        git_webhook_secret=GIT_WEBHOOK_SECRET,
        object_stores=_object_stores(folder / "store"),
        outside=Calls(Reach(), url),
        route=lambda: routed.append(None),
    )
    context = replace(context, **changes)
    with _serving(context, listener):
        yield Server(url, context, client, logs, wakes, routed)
    database.close()


def _object_stores(folder: Path) -> ObjectStores:
    folder.mkdir()
    return ObjectStores(folder, Reach(["127.0.0.1"]))


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


def workflow_executable(
    server: Server,
    executable_id: str = "train",
    *,
    parameters: Sequence[dict[str, str]] = (),
    input_artifacts: Sequence[str] = (),
    scenario_id: str = "workflows",
) -> str:
    """An executable that can be executed, as a WorkflowTemplate would make it; one that exists stays as it is.

    Parameters are `{"name", "default"?}`. Different facts need a different id: executables belong to all groups.
    """
    with server.database.transaction() as session:
        if session.get(Scenario, scenario_id) is None:
            session.add(Scenario(id=scenario_id, name=scenario_id))
            session.flush()
        if session.get(Executable, executable_id) is None:
            session.add(
                Executable(
                    id=executable_id,
                    scenario_id=scenario_id,
                    name=executable_id,
                    version_id="1.0.0",
                    deployable=False,
                    parameters=[{"type": "string", **parameter} for parameter in parameters],
                    input_artifacts=[{"name": name} for name in input_artifacts],
                )
            )
    return executable_id


def new_workflow_configuration(http: httpx.Client, server: Server, executable_id: str = "train", **more: object) -> str:
    """A configuration of a workflow executable, which is made when it is missing."""
    workflow_executable(server, executable_id)
    body = {"name": "training", "scenarioId": "workflows", "executableId": executable_id, **more}
    answer = http.post("/v2/lm/configurations", json=body)
    assert answer.status_code == 201, answer.text
    configuration_id: str = answer.json()["id"]
    return configuration_id


def new_execution(http: httpx.Client, configuration_id: str) -> str:
    """An execution of a configuration."""
    answer = http.post("/v2/lm/executions", json={"configurationId": configuration_id})
    assert answer.status_code == 202, answer.text
    execution_id: str = answer.json()["id"]
    return execution_id
