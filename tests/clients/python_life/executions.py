"""Executions and their schedules."""

from datetime import UTC, datetime

from ai_api_client_sdk.exception import (
    AIAPIInvalidInputException,
    AIAPIInvalidRequestException,
    AIAPINotFoundException,
    AIAPIPreconditionFailedException,
)
from ai_api_client_sdk.models.base_models import BasicModifyRequest
from ai_api_client_sdk.models.status import ScheduleStatus, Status
from ai_api_client_sdk.models.target_status import TargetStatus

from tests.clients.python_life.configurations import new_configuration, new_workflow_configuration
from tests.clients.python_life.world import SCENARIO, WORKFLOW, World, eventually, refused

COMPLETES = "completes"
"""Executions of a configuration of this name come to their end, with an artifact; others run on."""


def executions(world: World) -> None:
    client = world.core.execution
    made = client.create(new_workflow_configuration(world))
    assert (made.message, made.status) == ("Execution scheduled", Status.UNKNOWN)
    _wait(world, made.id, Status.RUNNING)
    running = client.get(made.id)
    assert (running.target_status, running.configuration_name) == (TargetStatus.COMPLETED, "train")
    assert (running.scenario_id, running.completion_time) == (SCENARIO, None)
    refused(lambda: client.delete(made.id), AIAPIPreconditionFailedException)
    assert client.modify(made.id, TargetStatus.STOPPED).message == "Execution modification scheduled"
    _wait(world, made.id, Status.STOPPED)
    assert client.query_logs(made.id, start=datetime(1990, 1, 1, tzinfo=UTC)).data.result == []
    assert client.delete(made.id).message == "Deletion scheduled"
    eventually(lambda: made.id not in {found.id for found in client.query().resources}, "it is gone")
    refused(lambda: client.get(made.id), AIAPINotFoundException)


def executions_completed(world: World) -> None:
    client = world.core.execution
    made = client.create(new_workflow_configuration(world, COMPLETES)).id
    _wait(world, made, Status.COMPLETED)
    one = client.get(made)
    (artifact,) = one.output_artifacts
    assert (artifact.execution_id, artifact.scenario_id) == (made, SCENARIO)
    assert artifact.url == f"ai://default/{made}/model"
    assert [found.id for found in world.core.artifact.query(execution_id=made).resources] == [artifact.id]
    listed = next(found for found in client.query(status=Status.COMPLETED).resources if found.id == made)
    assert [found.id for found in listed.output_artifacts] == [artifact.id]


def executions_found(world: World) -> None:
    client, configuration = world.core.execution, new_workflow_configuration(world)
    older, newer = (client.create(configuration).id for _ in range(2))
    _wait(world, newer, Status.RUNNING)
    assert [found.id for found in client.query(configuration_id=configuration).resources] == [newer, older]
    assert [found.id for found in client.query(configuration_id=configuration, top=1, skip=1).resources] == [older]
    running = client.query(scenario_id=SCENARIO, executable_ids=[WORKFLOW], status=Status.RUNNING)
    assert newer in {found.id for found in running.resources}
    assert (client.count(configuration_id=configuration), client.count(scenario_id="none")) == (2, 0)
    assert client.get(newer, select="status").status is Status.RUNNING
    refused(lambda: client.create("no-such-configuration"), AIAPIInvalidRequestException)
    refused(lambda: client.create(new_configuration(world)), AIAPIInvalidRequestException)


def executions_in_bulk(world: World) -> None:
    client, configuration = world.core.execution, new_workflow_configuration(world)
    ids = [client.create(configuration).id for _ in range(2)]
    for made in ids:
        _wait(world, made, Status.RUNNING)
    wishes = [BasicModifyRequest(made, TargetStatus.STOPPED) for made in (*ids, "e000000000000000")]
    *accepted, unknown = client.bulk_modify(wishes).executions
    assert [(item.id, item.message) for item in accepted] == [
        (made, "Execution modification scheduled") for made in ids
    ]
    assert unknown.error.message


def schedules(world: World) -> None:
    client, configuration = world.api.execution_schedule, new_workflow_configuration(world)
    made = client.create("nightly", "0 3 * * *", configuration, start=datetime(2024, 5, 1, 10, tzinfo=UTC))
    assert made.message == "Execution Schedule created"
    one = client.get(made.id)
    assert (one.name, one.cron, one.configuration_id) == ("nightly", "0 3 * * *", configuration)
    assert (one.status, one.start) == (ScheduleStatus.ACTIVE, datetime(2024, 5, 1, 10, tzinfo=UTC))
    assert client.modify(made.id, status=ScheduleStatus.INACTIVE).message == "Execution Schedule modified"
    assert client.get(made.id).status is ScheduleStatus.INACTIVE
    client.modify(made.id, cron="30 3 * * *", status=ScheduleStatus.ACTIVE)
    found = client.query(configuration_id=configuration, status=ScheduleStatus.ACTIVE, top=5, skip=0).resources
    assert [(schedule.id, schedule.cron) for schedule in found] == [(made.id, "30 3 * * *")]
    assert client.count(configuration_id=configuration, status=ScheduleStatus.INACTIVE) == 0
    refused(lambda: client.modify(made.id), AIAPIInvalidInputException)
    refused(lambda: client.modify(made.id, cron="every night"), AIAPIInvalidRequestException)
    assert client.delete(made.id).message == "Execution Schedule deleted"
    refused(lambda: client.get(made.id), AIAPINotFoundException)


def _wait(world: World, execution_id: str, status: Status) -> None:
    eventually(lambda: world.core.execution.get(execution_id).status is status, f"{execution_id} is {status.value}")
