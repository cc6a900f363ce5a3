"""Whatever is wrong with a configuration of a ServingTemplate is told when it is to be deployed, as a 400 in words."""

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from mooring.domain.lifecycle import Status
from mooring.services import template_sync
from mooring.templates.found_template import FoundTemplate
from tests.api.api_server import Server
from tests.templates.samples import SERVING, only

Configure = Callable[..., str]
PATH = "/v2/lm/deployments"


@pytest.fixture(scope="module")
def executable(server: Server) -> str:
    """A template that a sync has found, under a name of its own: all tests of a worker share the store."""
    name = f"greeter-{uuid.uuid4().hex[:8]}"
    template = only(SERVING.replace("name: greeter", f"name: {name}").replace('"greetings"', f'"{name}"'))
    with server.database.transaction() as session:
        template_sync.sync(session, name, [FoundTemplate("serve.yaml", "ServingTemplate", name, template)])
    return name


@pytest.fixture
def configure(http: httpx.Client, executable: str) -> Configure:
    """Makes a configuration; `words` is the url of its artifact (None binds none)."""

    def make(words: str | None = "ai://default/words", **values: str) -> str:
        bindings = []
        if words is not None:
            artifact = {"name": "words", "kind": "model", "url": words, "scenarioId": executable}
            bindings = [{"key": "words", "artifactId": http.post("/v2/lm/artifacts", json=artifact).json()["id"]}]
        bound = {"who-is-it": "you", **values}
        answer = http.post(
            "/v2/lm/configurations",
            json={
                "name": "greeting",
                "scenarioId": executable,
                "executableId": executable,
                "parameterBindings": [{"key": key, "value": value} for key, value in bound.items()],
                "inputArtifactBindings": bindings,
            },
        )
        return str(answer.raise_for_status().json()["id"])

    return make


def deploy(http: httpx.Client, configuration: str) -> dict[str, Any]:
    answer = http.post(PATH, json={"configurationId": configuration})
    assert answer.status_code == 202, answer.text
    shown: dict[str, Any] = http.get(f"{PATH}/{answer.json()['id']}").json()
    return shown


def test_a_configuration_of_a_template_is_deployed(http: httpx.Client, configure: Configure, executable: str) -> None:
    shown = deploy(http, configure())
    assert (shown["status"], shown["executableId"], shown["lastOperation"]) == ("UNKNOWN", executable, "CREATE")
    assert shown["details"] == {"scaling": {"backendDetails": {}}, "resources": {"backendDetails": {}}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"replicas": "many"}, ["minReplicas", "many", "whole number"]),
        ({"replicas": "3\nmaxReplicas: 9"}, ["minReplicas"]),
        ({"words": "s3://bucket/words"}, ["STORAGE_URI", "s3://bucket/words", "ai://"]),
        ({"words": "ai://default/a/../../other"}, ["STORAGE_URI"]),
        ({"words": None}, ["input artifact", "words", "inputArtifactBindings"]),
    ],
)
def test_what_cannot_be_filled_in_is_refused_at_a_create_and_at_a_change(
    http: httpx.Client, server: Server, configure: Configure, changes: dict[str, Any], words: list[str]
) -> None:
    wrong, running = configure(**changes), deploy(http, configure())
    server.act(running["id"], Status.RUNNING)
    for answer in (
        http.post(PATH, json={"configurationId": wrong}),
        http.patch(f"{PATH}/{running['id']}", json={"configurationId": wrong}),
    ):
        assert answer.status_code == 400
        assert [word for word in words if word not in answer.json()["error"]["message"]] == []
    shown = http.get(f"{PATH}/{running['id']}").json()
    assert (shown["status"], shown["configurationId"]) == ("RUNNING", running["configurationId"])


def test_a_change_of_values_is_an_update(http: httpx.Client, server: Server, configure: Configure) -> None:
    running = deploy(http, configure())
    server.act(running["id"], Status.RUNNING)
    other = configure(greeting="salve")
    assert http.patch(f"{PATH}/{running['id']}", json={"configurationId": other}).status_code == 202
    shown = http.get(f"{PATH}/{running['id']}").json()
    assert (shown["status"], shown["lastOperation"], shown["configurationId"]) == ("PENDING", "UPDATE", other)
    assert [revision["number"] for revision in shown["statusDetails"]["revisions"]] == [1, 2]
