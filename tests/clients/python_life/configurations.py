"""Configurations and artifacts: made and found; they neither change nor go."""

import uuid

from ai_api_client_sdk.exception import AIAPIInvalidRequestException, AIAPINotFoundException
from ai_api_client_sdk.models.artifact import Artifact
from ai_api_client_sdk.models.input_artifact_binding import InputArtifactBinding
from ai_api_client_sdk.models.label import Label
from ai_api_client_sdk.models.parameter_binding import ParameterBinding

from tests.clients.python_life.world import DATA_INPUT, DEPLOYABLE, SCENARIO, WORKFLOW, World, refused

_STAGE = "ext.ai.sap.com/stage"


def new_artifact(world: World, name: str = "data") -> str:
    """The id of an artifact of its own."""
    made: str = world.core.artifact.create(name, Artifact.Kind.DATASET, f"ai://default/{name}", SCENARIO).id
    return made


def new_configuration(world: World, model: str = "models:/wine/1", name: str = "wine") -> str:
    """The id of a configuration that can be deployed."""
    bindings = [ParameterBinding("modelUri", model)]
    made: str = world.core.configuration.create(name, SCENARIO, DEPLOYABLE, bindings).id
    return made


def new_workflow_configuration(world: World, name: str = "train") -> str:
    """The id of a configuration that can be executed."""
    inputs = [InputArtifactBinding(DATA_INPUT, new_artifact(world))]
    made: str = world.core.configuration.create(name, SCENARIO, WORKFLOW, input_artifact_bindings=inputs).id
    return made


def artifacts(world: World) -> None:
    client, mark = world.core.artifact, uuid.uuid4().hex
    labels = [Label(_STAGE, "one,two")]
    made = client.create(f"Data {mark}", Artifact.Kind.DATASET, "ai://default/d", SCENARIO, "of Köln", labels=labels)
    assert (made.message, made.url) == ("Artifact acknowledged", "ai://default/d")
    other = client.create(f"Model {mark}", Artifact.Kind.MODEL, "ai://default/m", SCENARIO).id
    one = client.get(made.id)
    assert (one.id, one.kind, one.description) == (made.id, Artifact.Kind.DATASET, "of Köln")
    assert [(label.key, label.value) for label in one.labels] == [(_STAGE, "one,two")]
    assert client.get(made.id, expand="scenario").scenario.id == SCENARIO

    assert [found.id for found in client.query(search=mark).resources] == [other, made.id]
    assert [found.id for found in client.query(search=mark, top=1, skip=1).resources] == [made.id]
    assert [found.id for found in client.query(search=mark, kind=Artifact.Kind.MODEL).resources] == [other]
    assert [found.id for found in client.query(name=f"Data {mark}", scenario_id=SCENARIO).resources] == [made.id]
    selector = [f"{_STAGE}=one{{comma}}two"]
    assert made.id in {found.id for found in client.query(artifact_label_selector=selector).resources}
    assert client.query(search=f"DATA {mark}").count == 0
    assert client.query(search=f"DATA {mark}", search_case_insensitive=True).count == 1
    assert client.query(search=mark, expand="scenario").resources[0].scenario.id == SCENARIO
    assert client.query(execution_id="e000000000000000").count == 0
    assert (client.count(name=f"Data {mark}"), client.count(name=mark, kind=Artifact.Kind.OTHER)) == (1, 0)
    refused(lambda: client.get(str(uuid.uuid4())), AIAPINotFoundException)
    refused(
        lambda: client.create("x", Artifact.Kind.MODEL, "ai://default/x", "no-such-scenario"),
        AIAPIInvalidRequestException,
    )


def configurations(world: World) -> None:
    client, name = world.core.configuration, f"cfg {uuid.uuid4().hex}"
    artifact = new_artifact(world)
    parameters = [ParameterBinding("modelUri", "models:/wine/1"), ParameterBinding("another", "Ä")]
    made = client.create(name, SCENARIO, DEPLOYABLE, parameters, [InputArtifactBinding("in", artifact)])
    assert made.message == "Configuration created"
    one = client.get(made.id)
    assert [(binding.key, binding.value) for binding in one.parameter_bindings] == [
        ("modelUri", "models:/wine/1"),
        ("another", "Ä"),
    ]
    assert [binding.artifact_id for binding in one.input_artifact_bindings] == [artifact]
    bare = client.get(client.create(name, SCENARIO, WORKFLOW).id)
    assert (bare.parameter_bindings, bare.input_artifact_bindings) == ([], [])
    assert client.get(made.id, expand="scenario").scenario.id == SCENARIO

    assert [found.id for found in client.query(search=name).resources] == [bare.id, made.id]
    assert [found.id for found in client.query(search=name, executable_ids=[DEPLOYABLE]).resources] == [made.id]
    assert client.query(search=name, executable_ids=[DEPLOYABLE, WORKFLOW], top=1).count == 1
    assert client.query(search=name, scenario_id="no-such-scenario").count == 0
    assert (client.count(search=name), client.count(search=name.upper())) == (2, 0)
    refused(lambda: client.get(str(uuid.uuid4())), AIAPINotFoundException)
    refused(lambda: client.create(name, SCENARIO, "no-such-executable"), AIAPIInvalidRequestException)
