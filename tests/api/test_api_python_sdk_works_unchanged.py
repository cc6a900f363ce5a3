"""The official Python SDK, as it is on PyPI, through the life of every object."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ai_api_client_sdk.exception import (
    AIAPIAuthorizationException,
    AIAPIInvalidRequestException,
    AIAPINotFoundException,
    AIAPIPreconditionFailedException,
)
from ai_api_client_sdk.helpers.authenticator import Authenticator
from ai_api_client_sdk.models.artifact import Artifact
from ai_api_client_sdk.models.base_models import BasicModifyRequest, Order
from ai_api_client_sdk.models.input_artifact_binding import InputArtifactBinding
from ai_api_client_sdk.models.label import Label
from ai_api_client_sdk.models.parameter_binding import ParameterBinding
from ai_api_client_sdk.models.status import Status as SdkStatus
from ai_api_client_sdk.models.target_status import TargetStatus
from ai_core_sdk.ai_core_v2_client import AICoreV2Client

from mooring.domain.lifecycle import Status
from mooring.runtimes.base import LogLine
from tests.api.api_server import MODEL_URI, Server


@pytest.fixture
def configuration_id(sdk: Any) -> str:
    return _configure(sdk, MODEL_URI)


def _configure(sdk: Any, model_uri: str) -> str:
    bindings = [ParameterBinding("modelUri", model_uri)]
    created: str = sdk.configuration.create("wine", "mooring", "model-server", bindings).id
    return created


def test_scenarios_and_executables(sdk: Any) -> None:
    assert "mooring" in {scenario.id for scenario in sdk.scenario.query().resources}
    assert sdk.scenario.get("mooring").name == "Mooring"
    assert [version.id for version in sdk.scenario.query_versions("mooring").resources] == ["1.0.0"]
    assert [e.id for e in sdk.executable.query("mooring").resources] == ["model-server"]
    executable = sdk.executable.get("mooring", "model-server")
    assert executable.deployable is True
    assert {parameter.name for parameter in executable.parameters} == {"modelUri", "modelName", "resourcePlan"}
    assert sdk.model.query().resources == []


def test_artifacts(sdk: Any) -> None:
    label = Label("ext.ai.sap.com/stage", "one,two")
    made = sdk.artifact.create("Data", Artifact.Kind.DATASET, "ai://default/data", "mooring", "of Köln", labels=[label])
    assert (made.message, made.url) == ("Artifact acknowledged", "ai://default/data")
    found = sdk.artifact.get(made.id, expand="scenario")
    assert (found.name, found.labels[0].value, found.scenario.id) == ("Data", "one,two", "mooring")
    selector = ["ext.ai.sap.com/stage=one{comma}two"]
    assert [a.id for a in sdk.artifact.query(artifact_label_selector=selector).resources] == [made.id]
    assert sdk.artifact.query(kind=Artifact.Kind.MODEL).count == 0
    assert sdk.artifact.query(search="KÖLN", search_case_insensitive=True).count == 1
    assert sdk.artifact.query(top=5, skip=1).count == 0
    assert sdk.artifact.count() == 1


def test_configurations(sdk: Any, configuration_id: str) -> None:
    artifact = sdk.artifact.create("Data", Artifact.Kind.DATASET, "ai://default/data", "mooring")
    bound = sdk.configuration.create(
        "bound", "mooring", "model-server", None, [InputArtifactBinding("data", artifact.id)]
    )
    assert bound.message == "Configuration created"
    found = sdk.configuration.get(configuration_id)
    assert [(b.key, b.value) for b in found.parameter_bindings] == [("modelUri", MODEL_URI)]
    assert found.input_artifact_bindings == []
    assert sdk.configuration.get(bound.id).input_artifact_bindings[0].artifact_id == artifact.id
    assert sdk.configuration.query(executable_ids=["model-server", "other"]).count == 2
    assert sdk.configuration.query(search="boun", top=1).resources[0].id == bound.id
    assert sdk.configuration.count() == 2


def test_the_life_of_a_deployment(sdk: Any, server: Server, configuration_id: str) -> None:
    made = sdk.deployment.create(configuration_id, ttl="2h")
    assert (made.message, made.deployment_url) == ("Deployment scheduled.", "")
    assert made.status is SdkStatus.UNKNOWN

    server.act(made.id, Status.RUNNING)
    running = sdk.deployment.get(made.id)
    assert running.deployment_url == f"{server.url}/v2/inference/deployments/{made.id}"
    assert (running.status, running.target_status) == (SdkStatus.RUNNING, TargetStatus.RUNNING)
    assert (running.ttl, running.last_operation.value) == ("2h", "CREATE")

    second = _configure(sdk, "models:/wine/2")
    changed = sdk.deployment.modify(made.id, None, second)
    assert changed.message == "Deployment modification scheduled"
    pending = sdk.deployment.get(made.id)
    assert (pending.status, pending.configuration_id) == (SdkStatus.PENDING, second)
    assert pending.latest_running_configuration_id == configuration_id
    assert pending.deployment_url == running.deployment_url
    assert pending.last_operation.value == "UPDATE"

    server.act(made.id, Status.RUNNING)
    with pytest.raises(AIAPIPreconditionFailedException):
        sdk.deployment.delete(made.id)
    sdk.deployment.modify(made.id, TargetStatus.STOPPED)
    assert sdk.deployment.get(made.id).target_status is TargetStatus.STOPPED
    server.act(made.id, Status.STOPPED)
    assert sdk.deployment.delete(made.id).message == "Deletion scheduled"
    assert sdk.deployment.get(made.id).target_status is TargetStatus.DELETED


def test_querying_and_counting_deployments(sdk: Any, server: Server, configuration_id: str) -> None:
    first = sdk.deployment.create(configuration_id).id
    second = sdk.deployment.create(configuration_id).id
    server.act(second, Status.RUNNING)
    assert [d.id for d in sdk.deployment.query().resources] == [second, first]
    assert [d.id for d in sdk.deployment.query(status=SdkStatus.RUNNING).resources] == [second]
    assert sdk.deployment.query(configuration_id=configuration_id, skip=1, top=1).count == 1
    assert sdk.deployment.query(scenario_id="other").count == 0
    assert sdk.deployment.count() == 2
    assert sdk.deployment.get(first, select="status").status is SdkStatus.UNKNOWN


def test_changing_many_deployments(sdk: Any, server: Server, configuration_id: str) -> None:
    running = sdk.deployment.create(configuration_id).id
    unknown = sdk.deployment.create(configuration_id).id
    server.act(running, Status.RUNNING)
    wishes = [
        BasicModifyRequest(running, TargetStatus.STOPPED),
        BasicModifyRequest(unknown, TargetStatus.STOPPED),
    ]
    answer = sdk.deployment.bulk_modify(wishes)
    accepted, refused = answer.deployments
    assert accepted.message == "Deployment modification scheduled"
    assert refused.error.code == "01010076"
    assert sdk.deployment.get(running).target_status is TargetStatus.STOPPED


def test_logs(sdk: Any, server: Server, configuration_id: str) -> None:
    deployment_id = sdk.deployment.create(configuration_id).id
    assert sdk.deployment.query_logs(deployment_id).data.result == []
    now = datetime.now(UTC).replace(microsecond=0)
    lines = [LogLine(now - timedelta(seconds=age), "stdout", f"{age} s ago") for age in (30, 20, 10)]
    server.add_replica(deployment_id, f"r{deployment_id}", lines)

    def messages(**window: Any) -> list[str]:
        result = sdk.deployment.query_logs(deployment_id, **window).data.result
        return [line.msg for line in result]

    assert messages() == ["30 s ago", "20 s ago", "10 s ago"]
    assert messages(start=now - timedelta(seconds=20)) == ["20 s ago", "10 s ago"]
    assert messages(top=1, order=Order.DESC) == ["10 s ago"]
    assert messages(start=now + timedelta(seconds=5)) == []


def test_resource_groups(sdk: Any, group: str) -> None:
    name = f"{group}-other"
    assert sdk.resource_groups.create(name).resource_group_id == name
    assert sdk.resource_groups.create(name).resource_group_id == name
    sdk.resource_groups.modify(name, labels=[Label("ext.ai.sap.com/team", "red")])
    assert sdk.resource_groups.get(name).labels[0].value == "red"
    assert name in {found.resource_group_id for found in sdk.resource_groups.query(search=group).resources}
    assert sdk.resource_groups.delete(name).id == name
    with pytest.raises(AIAPINotFoundException):
        sdk.resource_groups.get(name)


def test_meta(sdk: Any) -> None:
    meta = sdk.meta.get()
    assert meta.ai_api.capabilities.bulk_updates.deployments is True
    assert meta.ai_api.limits.deployments.max_running_count == -1
    assert [version.version_id for version in sdk.meta.get_versions().versions] == ["v2"]


def test_errors_have_the_types_that_scripts_catch(sdk: Any) -> None:
    with pytest.raises(AIAPINotFoundException):
        sdk.deployment.get("d000000000000000")
    with pytest.raises(AIAPIInvalidRequestException):
        sdk.deployment.create("no-such-configuration")
    with pytest.raises(AIAPIInvalidRequestException):
        sdk.configuration.create("name", "mooring", "no-such-executable")


def test_wrong_credentials_have_the_type_that_scripts_catch(server: Server) -> None:
    authenticator = Authenticator(f"{server.url}/oauth/token", server.client.id, "wrong")
    with pytest.raises(Exception, match="Bad credentials") as raised:
        authenticator.get_token()
    assert type(raised.value).__name__ == "AIAPIAuthenticatorAuthorizationException"


def test_a_wrong_token_has_the_type_that_scripts_catch(server: Server) -> None:
    sdk = AICoreV2Client(base_url=f"{server.url}/v2", token_creator=lambda: "Bearer wrong")
    with pytest.raises(AIAPIAuthorizationException):
        sdk.deployment.query()
