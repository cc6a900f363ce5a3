"""What lies in a resource group: one line per kind of object, for the tenant matrix."""

import base64
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from mooring.domain.lifecycle import Status
from mooring.domain.roles import Role
from tests.api.api_server import (
    Server,
    new_configuration,
    new_deployment,
    new_execution,
    new_workflow_configuration,
)

Make = Callable[[Server, httpx.Client], str]
"""Makes an object by its owner's client, and returns its id."""
Json = Mapping[str, object]


@dataclass(frozen=True)
class Verb:
    """One call. In `path` and `body`, `{id}` is the object's.

    `own` and `foreign` are statuses: what the owner gets, and what another group gets. `shows` says that a good answer
    lists objects, among which this one is only for its owner.
    """

    name: str
    method: str
    path: str
    body: Json | None = None
    own: int = 200
    foreign: int = 404
    shows: bool = False
    role: Role = Role.VIEWER


@dataclass(frozen=True)
class Kind:
    """A kind of object and all that can be done to it, deleting last."""

    name: str
    make: Make
    verbs: tuple[Verb, ...] = field(repr=False)


def _get(path: str) -> Verb:
    return Verb("get", "GET", path + "/{id}")


def _list(path: str, query: str = "") -> Verb:
    return Verb(f"list {query}".strip(), "GET", path + query, foreign=200, shows=True)


def _count(path: str, query: str) -> Verb:
    return Verb("count", "GET", f"{path}/$count{query}", foreign=200)


def _logs(path: str) -> Verb:
    return Verb("logs", "GET", path + "/{id}/logs")


def _change(path: str, body: Json, own: int = 202, role: Role = Role.EDITOR) -> Verb:
    return Verb("patch", "PATCH", path + "/{id}", body, own=own, role=role)


def _delete(path: str, own: int = 202, role: Role = Role.EDITOR) -> Verb:
    return Verb("delete", "DELETE", path + "/{id}", own=own, role=role)


def _refer(path: str, body: Json, own: int, *, method: str = "POST", foreign: int = 400) -> Verb:
    return Verb(f"reference in {method} {path}", method, path, body, own=own, foreign=foreign, role=Role.EDITOR)


def _artifact(_server: Server, http: httpx.Client) -> str:
    body = {"name": "rows", "kind": "dataset", "url": "ai://default/rows", "scenarioId": "mooring"}
    return str(http.post("/v2/lm/artifacts", json=body).raise_for_status().json()["id"])


def _execution(server: Server, http: httpx.Client) -> str:
    execution_id = new_execution(http, new_workflow_configuration(http, server))
    server.act_on_execution(execution_id, Status.PENDING)
    return execution_id


def _schedule(server: Server, http: httpx.Client) -> str:
    body = {"name": "nightly", "cron": "0 3 * * *", "configurationId": new_workflow_configuration(http, server)}
    return str(http.post("/v2/lm/executionSchedules", json=body).raise_for_status().json()["id"])


def _metrics(server: Server, http: httpx.Client) -> str:
    execution = _execution(server, http)
    body = {"executionId": execution, "metrics": [{"name": "loss", "value": 0.5}]}
    http.patch("/v2/lm/metrics", json=body).raise_for_status()
    return execution


def _generic_secret(_server: Server, http: httpx.Client) -> str:
    name = f"secret-{uuid.uuid4().hex}"
    http.post("/v2/admin/secrets", json={"name": name, "data": _VALUES}).raise_for_status()
    return name


def _object_store(_server: Server, http: httpx.Client) -> str:
    name = f"store-{uuid.uuid4().hex}"
    http.post("/v2/admin/objectStoreSecrets", json={"name": name, **_S3}).raise_for_status()
    return name


def _dataset(_server: Server, http: httpx.Client) -> str:
    name = uuid.uuid4().hex
    http.put(f"/v2/lm/dataset/files/default/{name}.csv", content=b"a,b").raise_for_status()
    return name


_VALUES = {"key": base64.b64encode(b"value").decode()}
_S3 = {
    "type": "S3",
    "bucket": "b",
    "endpoint": "s3.test",
    "region": "r",
    "data": {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"},
}
_ADMIN = Role.ADMIN
_LM = "/v2/lm/"
_CONFIGURATIONS, _ARTIFACTS = _LM + "configurations", _LM + "artifacts"
_DEPLOYMENTS, _EXECUTIONS, _SCHEDULES = _LM + "deployments", _LM + "executions", _LM + "executionSchedules"
_METRICS, _FILES = _LM + "metrics", _LM + "dataset/files/default"
_SECRETS, _STORES = "/v2/admin/secrets", "/v2/admin/objectStoreSecrets"
_STOP = {"targetStatus": "STOPPED"}
_BINDING = {"name": "n", "scenarioId": "mooring", "executableId": "model-server"}
_INPUT = {"inputArtifactBindings": [{"key": "rows", "artifactId": "{id}"}]}
_REFERRED = {"configurationId": "{id}"}


def _configuration(_server: Server, http: httpx.Client) -> str:
    return new_configuration(http)


def _workflow(server: Server, http: httpx.Client) -> str:
    return new_workflow_configuration(http, server)


def _deployment(server: Server, http: httpx.Client) -> str:
    deployment_id = new_deployment(http)
    server.act(deployment_id, Status.RUNNING)
    return deployment_id


KINDS = (
    Kind(
        "configuration",
        _configuration,
        (
            _get(_CONFIGURATIONS),
            _list(_CONFIGURATIONS),
            _list(_CONFIGURATIONS, "?executableIds=model-server&$search=wine"),
            _count(_CONFIGURATIONS, "?scenarioId=mooring"),
            _refer(_DEPLOYMENTS, _REFERRED, 202),
        ),
    ),
    Kind(
        "configuration of a workflow",
        _workflow,
        (
            _get(_CONFIGURATIONS),
            _refer(_EXECUTIONS, _REFERRED, 202),
            _refer(_SCHEDULES, {"name": "n", "cron": "0 3 * * *", **_REFERRED}, 202),
        ),
    ),
    Kind(
        "artifact",
        _artifact,
        (
            _get(_ARTIFACTS),
            _list(_ARTIFACTS),
            _list(_ARTIFACTS, "?kind=dataset&name=rows"),
            _count(_ARTIFACTS, "?scenarioId=mooring"),
            _refer(_CONFIGURATIONS, {**_BINDING, **_INPUT}, 201),
        ),
    ),
    Kind(
        "deployment",
        _deployment,
        (
            _get(_DEPLOYMENTS),
            Verb("get the status", "GET", _DEPLOYMENTS + "/{id}?$select=status"),
            _list(_DEPLOYMENTS),
            _list(_DEPLOYMENTS, "?status=RUNNING&executableIds=model-server"),
            _count(_DEPLOYMENTS, "?status=RUNNING"),
            _logs(_DEPLOYMENTS),
            _change(_DEPLOYMENTS, _STOP),
            _delete(_DEPLOYMENTS, own=412),
        ),
    ),
    Kind(
        "execution",
        _execution,
        (
            _get(_EXECUTIONS),
            _list(_EXECUTIONS),
            _list(_EXECUTIONS, "?status=PENDING&scenarioId=workflows"),
            _count(_EXECUTIONS, "?status=PENDING"),
            _logs(_EXECUTIONS),
            _refer(_METRICS, {"executionId": "{id}", "tags": []}, 204, method="PATCH", foreign=404),
            _change(_EXECUTIONS, _STOP),
            _delete(_EXECUTIONS, own=412),
        ),
    ),
    Kind(
        "schedule",
        _schedule,
        (
            _get(_SCHEDULES),
            _list(_SCHEDULES),
            _list(_SCHEDULES, "?status=ACTIVE"),
            _count(_SCHEDULES, "?status=ACTIVE"),
            _change(_SCHEDULES, {"status": "INACTIVE"}),
            _delete(_SCHEDULES),
        ),
    ),
    Kind(
        "metrics",
        _metrics,
        (
            _list(_METRICS, "?executionIds={id}"),
            _list(_METRICS, "?$filter=executionId eq '{id}'"),
            Verb("delete", "DELETE", _METRICS + "?executionId={id}", role=Role.EDITOR),
        ),
    ),
    Kind(
        "dataset file",
        _dataset,
        (
            Verb("get", "GET", _FILES + "/{id}.csv"),
            Verb("delete", "DELETE", _FILES + "/{id}.csv", own=204, role=Role.EDITOR),
        ),
    ),
    Kind(
        "generic secret",
        _generic_secret,
        (
            _get(_SECRETS),
            _list(_SECRETS),
            _change(_SECRETS, {"data": _VALUES}, own=200, role=_ADMIN),
            _delete(_SECRETS, own=200, role=_ADMIN),
        ),
    ),
    Kind(
        "object store secret",
        _object_store,
        (
            _get(_STORES),
            _list(_STORES),
            _change(_STORES, {"name": "{id}", **_S3}, role=_ADMIN),
            _delete(_STORES, role=_ADMIN),
        ),
    ),
)
