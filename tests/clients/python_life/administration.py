"""Resource groups, repositories and applications."""

import uuid
from collections.abc import Mapping
from typing import Any

from ai_api_client_sdk.exception import AIAPIInvalidRequestException, AIAPINotFoundException, AIAPIServerException
from ai_api_client_sdk.models.label import Label

from tests.clients.python_life.world import World, eventually, refused


def resource_groups(world: World) -> None:
    client, name = world.core.resource_groups, f"{world.group}-{uuid.uuid4().hex[:8]}"
    assert client.create(name, [Label("ext.ai.sap.com/team", "blue")]).resource_group_id == name
    assert client.create(name).resource_group_id == name
    assert client.get(name).labels[0].value == "blue"
    client.modify(name, labels=[Label("ext.ai.sap.com/team", "red")])
    assert [(label.key, label.value) for label in client.get(name).labels] == [("ext.ai.sap.com/team", "red")]
    assert [found.resource_group_id for found in client.query(search=name).resources] == [name]
    assert world.core.artifact.query(resource_group=name).count == 0
    assert client.delete(name).id == name
    refused(lambda: client.get(name), AIAPINotFoundException)
    refused(lambda: client.create("?!"), AIAPIInvalidRequestException)


def repositories(world: World) -> None:
    client, name = world.core.repositories, _name("repo")
    url = f"https://git.example/{name}.git"
    assert client.create(name=name, url=url, username="reader", password="secret").message
    one = client.get(name)
    assert (one.name, one.url) == (name, url)
    assert one.status.value in ("IN-PROGRESS", "COMPLETED", "ERROR")
    assert name in {found.name for found in client.query().resources}
    assert refused(lambda: _create_again(world, name, url), AIAPIServerException).status_code == 409
    assert client.modify(name, "reader", "other").message
    assert client.delete(name).message
    refused(lambda: client.get(name), AIAPINotFoundException)


def applications(world: World) -> None:
    client, name, repository = world.core.applications, _name("app"), _name("repo")
    url = f"https://git.example/{repository}.git"
    world.core.repositories.create(name=repository, url=url, username="reader", password="secret")
    made = client.create(revision="main", path="templates", application_name=name, repository_name=repository)
    assert made.id == name
    one = client.get(name)
    assert (one.application_name, one.repository_url, one.revision, one.path) == (name, url, "main", "templates")
    assert client.modify(name, url, "other", "main").id == name
    assert client.get(name).path == "other"
    assert name in {found.application_name for found in client.query().resources}
    assert client.refresh(name).id == name
    status = client.get_status(name)
    assert status.sync_status in ("OutOfSync", "Unknown")
    refused(lambda: client.refresh("no-such-application"), AIAPINotFoundException)
    assert client.delete(name).id == name
    eventually(lambda: name not in {found.application_name for found in client.query().resources}, "it is gone")
    world.core.repositories.delete(repository)


def _create_again(world: World, name: str, url: str) -> Mapping[str, Any]:
    created: Mapping[str, Any] = world.core.repositories.create(name=name, url=url, username="r", password="p")
    return created


def _name(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:12]}"
