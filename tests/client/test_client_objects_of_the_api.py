from datetime import UTC, datetime

import pytest

from mooring.client.client import AIClient
from mooring.client.deployments import Deployment, DeploymentFailed, WaitTimeout
from mooring.client.errors import ApiError, NotFound, PreconditionFailed, ServerError
from tests.fake_ai_api import FakeAiApi

PARAMETERS = {"modelUri": "models:/m/1", "modelName": "m"}


def test_a_deployment_from_its_configuration_to_its_end(api: FakeAiApi, client: AIClient) -> None:
    configuration_id = client.configurations.create(
        "m-1", "mooring", "model-server", parameters=PARAMETERS, artifacts={"data": "a-1"}
    )
    configuration = client.configurations.get(configuration_id)
    assert configuration.parameters == PARAMETERS
    assert configuration.input_artifact_bindings[0].artifact_id == "a-1"

    deployment_id = client.deployments.create(configuration_id, ttl="2h")
    running = client.deployments.wait(deployment_id, timeout_seconds=10, poll_seconds=0.01)
    assert running.latest_running_configuration_id == configuration_id
    assert client.deployments.logs(deployment_id, start=datetime(1990, 1, 1, tzinfo=UTC))[0].msg == "hello\n"

    with pytest.raises(PreconditionFailed, match="RUNNING"):
        client.deployments.delete(deployment_id)
    client.deployments.stop(deployment_id)
    assert client.deployments.get(deployment_id).status == "STOPPED"
    client.deployments.delete(deployment_id)
    with pytest.raises(NotFound):
        client.deployments.get(deployment_id)


def test_waiting_for_a_new_configuration_is_not_fooled_by_the_old_one(api: FakeAiApi, client: AIClient) -> None:
    old, new = (api.add_configuration(name, PARAMETERS) for name in ("old", "new"))
    deployment_id = client.deployments.create(old)
    client.deployments.wait(deployment_id, timeout_seconds=10, poll_seconds=0.01)

    api.outcome = lambda _: "PENDING"
    client.deployments.change_configuration(deployment_id, new)
    with pytest.raises(WaitTimeout, match="PENDING"):
        client.deployments.wait(deployment_id, configuration_id=new, timeout_seconds=0.1, poll_seconds=0.01)

    api.outcome = lambda _: "RUNNING"
    running = client.deployments.wait(deployment_id, configuration_id=new, timeout_seconds=10, poll_seconds=0.01)
    assert running.latest_running_configuration_id == new


def test_waiting_ends_with_the_reason_when_it_dies(api: FakeAiApi, client: AIClient) -> None:
    api.outcome = lambda _: "DEAD"
    deployment_id = client.deployments.create(api.add_configuration("m-1", PARAMETERS))

    with pytest.raises(DeploymentFailed, match="models:/m/1 cannot be loaded"):
        client.deployments.wait(deployment_id, timeout_seconds=10, poll_seconds=0.01)


def test_lists_are_followed_over_all_pages(api: FakeAiApi, client: AIClient) -> None:
    ids = [api.add_configuration(f"c-{number}", {}) for number in range(7)]

    assert [each.id for each in client.configurations.list(page_size=3)] == ids
    assert api.count("GET", "/v2/lm/configurations") == 3


def test_every_request_carries_the_resource_group(api: FakeAiApi, client: AIClient) -> None:
    client.executables.list("mooring")
    client.resource_groups.create("team-a")
    assert [group.resource_group_id for group in client.resource_groups.list()] == ["default", "team-a"]

    assert {headers["ai-resource-group"] for headers in api.headers} == {"team-a"}


def test_an_error_tells_what_the_envelope_tells(client: AIClient) -> None:
    with pytest.raises(NotFound) as caught:
        client.deployments.get("d/../../admin")

    error = caught.value
    assert (error.status, error.code, error.request_id) == (404, "01000400", "r-1")
    assert error.target == "/v2/lm/deployments/d%2F..%2F..%2Fadmin"


def test_a_plain_text_error_is_its_message(api: FakeAiApi, client: AIClient) -> None:
    api.fail_next(403, body=b"RBAC: access denied")

    with pytest.raises(ApiError, match="RBAC: access denied"):
        client.deployments.list()


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"count": 0}', b'{"resources": [{"status": 1}]}'])
def test_an_answer_that_is_not_the_apis_is_a_typed_error(api: FakeAiApi, client: AIClient, body: bytes) -> None:
    api.fail_next(200, body=body)

    with pytest.raises(ServerError):
        client.deployments.list()


def test_unknown_and_missing_fields_are_tolerated() -> None:
    document = {"id": "d1", "configurationId": "c1", "status": "NEW", "surprise": 1, "statusMessage": None}

    deployment = Deployment.model_validate(document)

    assert deployment.status == "NEW"
    assert not deployment.runs()
