"""Deployments, from the wish to the end."""

from datetime import UTC, datetime, timedelta

from ai_api_client_sdk.exception import (
    AIAPIInvalidInputException,
    AIAPIInvalidRequestException,
    AIAPINotFoundException,
    AIAPIPreconditionFailedException,
)
from ai_api_client_sdk.models.base_models import BasicModifyRequest, Order
from ai_api_client_sdk.models.status import Status
from ai_api_client_sdk.models.target_status import TargetStatus

from tests.clients.python_life.configurations import new_configuration
from tests.clients.python_life.world import DEPLOYABLE, SCENARIO, World, eventually, refused


def deployments(world: World) -> None:
    client, first = world.core.deployment, new_configuration(world)
    made = client.create(first, ttl="2h")
    assert (made.message, made.status) == ("Deployment scheduled.", Status.UNKNOWN)
    _wait(world, made.id, Status.RUNNING)
    running = client.get(made.id)
    assert running.deployment_url == f"{world.url}/inference/deployments/{made.id}"
    assert (running.target_status, running.configuration_name, running.ttl) == (TargetStatus.RUNNING, "wine", "2h")
    assert running.latest_running_configuration_id == first

    second = new_configuration(world, "models:/wine/2")
    assert client.modify(made.id, None, second).message == "Deployment modification scheduled"
    eventually(lambda: client.get(made.id).latest_running_configuration_id == second, "the second version runs")
    assert client.get(made.id).deployment_url == running.deployment_url

    refused(lambda: client.delete(made.id), AIAPIPreconditionFailedException)
    assert client.modify(made.id, TargetStatus.STOPPED).message == "Deployment modification scheduled"
    _wait(world, made.id, Status.STOPPED)
    refused(lambda: client.modify(made.id, None, first), AIAPIPreconditionFailedException)
    assert client.delete(made.id).message in ("Deletion scheduled", "Deployment deletion scheduled")
    eventually(lambda: made.id not in {found.id for found in client.query().resources}, "it is gone")
    refused(lambda: client.get(made.id), AIAPINotFoundException)
    refused(lambda: client.create("no-such-configuration"), AIAPIInvalidRequestException)


def deployments_found(world: World) -> None:
    client, configuration = world.core.deployment, new_configuration(world, name="found")
    older, newer = (client.create(configuration).id for _ in range(2))
    _wait(world, newer, Status.RUNNING)
    assert [found.id for found in client.query(configuration_id=configuration).resources] == [newer, older]
    assert [found.id for found in client.query(configuration_id=configuration, top=1, skip=1).resources] == [older]
    running = client.query(scenario_id=SCENARIO, executable_ids=[DEPLOYABLE], status=Status.RUNNING)
    assert newer in {found.id for found in running.resources}
    assert (client.count(configuration_id=configuration), client.count(scenario_id="none")) == (2, 0)
    only_status = client.get(newer, select="status")
    assert (only_status.id, only_status.status) == (newer, Status.RUNNING)


def deployments_modified_wrongly(world: World) -> None:
    client, configuration = world.core.deployment, new_configuration(world)
    made = client.create(configuration).id
    _wait(world, made, Status.RUNNING)
    refused(lambda: client.modify(made), AIAPIInvalidRequestException)
    refused(lambda: client.modify(made, TargetStatus.STOPPED, configuration), AIAPIInvalidInputException)
    refused(lambda: client.modify(made, None, "no-such-configuration"), AIAPIInvalidRequestException)


def deployments_in_bulk(world: World) -> None:
    client = world.core.deployment
    ids = [client.create(new_configuration(world)).id for _ in range(2)]
    for made in ids:
        _wait(world, made, Status.RUNNING)
    wishes = [BasicModifyRequest(made, TargetStatus.STOPPED) for made in (*ids, "d000000000000000")]
    *accepted, unknown = client.bulk_modify(wishes).deployments
    assert [(item.id, item.message) for item in accepted] == [
        (made, "Deployment modification scheduled") for made in ids
    ]
    assert unknown.error.message
    assert unknown.error.request_id
    for made in ids:
        _wait(world, made, Status.STOPPED)
    deleted = client.bulk_modify([BasicModifyRequest(made, TargetStatus.DELETED) for made in ids]).deployments
    assert [item.message for item in deleted] == ["Deletion scheduled"] * 2


def deployment_logs(world: World) -> None:
    client = world.core.deployment
    made = client.create(new_configuration(world)).id
    _wait(world, made, Status.RUNNING)
    lines = client.query_logs(made, start=datetime(1990, 1, 1, tzinfo=UTC)).data.result
    assert [line.msg for line in lines] == ["starting", "ready"]
    assert lines[0].timestamp < lines[1].timestamp
    newest = client.query_logs(made, top=1, order=Order.DESC).data.result
    assert [line.msg for line in newest] == ["ready"]
    future = datetime.now(UTC) + timedelta(hours=1)
    assert client.query_logs(made, start=future, end=future).data.result == []


def _wait(world: World, deployment_id: str, status: Status) -> None:
    eventually(lambda: world.core.deployment.get(deployment_id).status is status, f"{deployment_id} is {status.value}")
