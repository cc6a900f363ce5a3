"""An object of another resource group does not exist: not by id, not by reference, not in lists or counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from mooring.domain.lifecycle import Status
from mooring.domain.roles import Role
from tests.api.api_server import Server, new_configuration, new_deployment


@dataclass
class Owned:
    """What the first group has."""

    configuration: str
    artifact: str
    deployment: str


@pytest.fixture
def owned(http: httpx.Client, server: Server) -> Owned:
    artifact = http.post(
        "/v2/lm/artifacts",
        json={"name": "a", "kind": "model", "url": "ai://default/x", "scenarioId": "mooring"},
    ).json()["id"]
    configuration = new_configuration(http)
    deployment = new_deployment(http, configuration)
    server.act(deployment, Status.RUNNING)
    return Owned(configuration, artifact, deployment)


@pytest.fixture
def stranger(server: Server, group: str) -> Iterator[httpx.Client]:
    other = f"{group}-stranger"
    with server.http(other) as http:
        http.post("/v2/admin/resourceGroups", json={"resourceGroupId": other})
        yield http


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "configurations/{configuration}", None),
        ("GET", "artifacts/{artifact}", None),
        ("GET", "deployments/{deployment}", None),
        ("GET", "deployments/{deployment}/logs", None),
        ("PATCH", "deployments/{deployment}", {"targetStatus": "STOPPED"}),
        ("PATCH", "deployments/{deployment}", {"configurationId": "{configuration}"}),
        ("DELETE", "deployments/{deployment}", None),
    ],
)
def test_by_id(stranger: httpx.Client, owned: Owned, method: str, path: str, body: dict[str, str] | None) -> None:
    filled = {name: value.format(**vars(owned)) for name, value in body.items()} if body else None
    answer = stranger.request(method, f"/v2/lm/{path.format(**vars(owned))}", json=filled)
    never_was = stranger.request(method, f"/v2/lm/{path}".format(**_never()), json=filled)
    assert answer.status_code == never_was.status_code == 404
    assert _words(answer, vars(owned)) == _words(never_was, _never())


def test_by_reference(stranger: httpx.Client, owned: Owned) -> None:
    deployed = stranger.post("/v2/lm/deployments", json={"configurationId": owned.configuration})
    bound = stranger.post(
        "/v2/lm/configurations",
        json={
            "name": "n",
            "scenarioId": "mooring",
            "executableId": "model-server",
            "inputArtifactBindings": [{"key": "data", "artifactId": owned.artifact}],
        },
    )
    own = new_deployment(stranger)
    assert [deployed.status_code, bound.status_code] == [400, 400]
    bulk = stranger.patch("/v2/lm/deployments", json={"deployments": [_stop(owned.deployment), _stop(own)]})
    assert [item["error"]["code"] for item in bulk.json()["deployments"]] == ["01000404", "01010076"]


def test_in_lists_and_counts(stranger: httpx.Client, http: httpx.Client, owned: Owned) -> None:
    for noun, object_id in vars(owned).items():
        path = f"/v2/lm/{noun}s"
        assert stranger.get(path).json() == {"count": 0, "resources": []}
        assert stranger.get(f"{path}/$count").text == "0"
        assert [item["id"] for item in http.get(path).json()["resources"]] == [object_id]


def test_a_client_of_one_group_sees_no_other(server: Server, http: httpx.Client, group: str, owned: Owned) -> None:
    with server.http_as(Role.ADMIN, ["default"], group=group) as bound:
        answer = bound.get(f"/v2/lm/deployments/{owned.deployment}")
    assert answer.status_code == 400
    assert http.get(f"/v2/lm/deployments/{owned.deployment}").status_code == 200


def test_a_group_with_deployments_is_not_deleted(http: httpx.Client, server: Server, group: str, owned: Owned) -> None:
    path = f"/v2/admin/resourceGroups/{group}"
    refused = http.delete(path)
    assert (refused.status_code, "deployments" in refused.text) == (400, True)
    assert http.get(f"/v2/lm/configurations/{owned.configuration}").status_code == 200


def test_a_group_is_deleted_with_what_cannot_be_deleted_alone(stranger: httpx.Client) -> None:
    group = stranger.headers["AI-Resource-Group"]
    label = {"key": "ext.ai.sap.com/x", "value": "1"}
    artifact = {"name": "a", "kind": "model", "url": "ai://d/x", "scenarioId": "mooring", "labels": [label]}
    assert stranger.post("/v2/lm/artifacts", json=artifact).status_code == 201
    new_configuration(stranger)
    deleted = stranger.delete(f"/v2/admin/resourceGroups/{group}")
    assert (deleted.status_code, deleted.json()["id"]) == (202, group)
    assert stranger.get("/v2/lm/configurations").status_code == 400
    stranger.post("/v2/admin/resourceGroups", json={"resourceGroupId": group})
    assert stranger.get("/v2/lm/artifacts/$count").text == "0"


def test_default_is_not_deleted(http: httpx.Client) -> None:
    assert http.delete("/v2/admin/resourceGroups/default").status_code == 400
    assert http.get("/v2/admin/resourceGroups/default").status_code == 200


def test_listing_resource_groups(http: httpx.Client, group: str) -> None:
    names = [f"{group}.{number}" for number in range(3)]
    for name in names:
        label = {"key": "ext.ai.sap.com/odd", "value": str(name.endswith("1"))}
        http.post("/v2/admin/resourceGroups", json={"resourceGroupId": name, "labels": [label]})

    def found(query: str) -> tuple[int, list[str]]:
        shown: dict[str, Any] = http.get(f"/v2/admin/resourceGroups?$search={group}.&{query}").json()
        return shown["count"], [item["resourceGroupId"] for item in shown["resources"]]

    assert found("") == (3, names[::-1])
    assert found("$top=1&$skip=1") == (1, [names[1]])
    assert found("$top=1&$count=true") == (3, [names[2]])
    assert found("labelSelector=ext.ai.sap.com/odd=True") == (1, [names[1]])
    assert found("labelSelector=ext.ai.sap.com/odd!=True") == (2, [names[2], names[0]])
    changed = http.patch(f"/v2/admin/resourceGroups/{names[0]}", json={"labels": []})
    assert (changed.status_code, changed.content) == (202, b"")
    assert http.get(f"/v2/admin/resourceGroups/{names[0]}").json()["labels"] == []


def _stop(deployment_id: str) -> dict[str, str]:
    return {"id": deployment_id, "targetStatus": "STOPPED"}


def _never() -> dict[str, str]:
    return dict.fromkeys(("configuration", "artifact", "deployment"), "never-was")


def _words(answer: httpx.Response, ids: dict[str, str]) -> str:
    message: str = answer.json()["error"]["message"]
    for object_id in ids.values():
        message = message.replace(object_id, "ID")
    return message
