"""The official Python SDK, as it is on PyPI, through the life of executions and their schedules."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from ai_api_client_sdk.ai_api_v2_client import AIAPIV2Client
from ai_api_client_sdk.exception import (
    AIAPIInvalidRequestException,
    AIAPINotFoundException,
    AIAPIPreconditionFailedException,
)
from ai_api_client_sdk.models.base_models import BasicModifyRequest
from ai_api_client_sdk.models.status import ScheduleStatus
from ai_api_client_sdk.models.status import Status as SdkStatus
from ai_api_client_sdk.models.target_status import TargetStatus

from mooring.domain.lifecycle import Status
from tests.api.api_server import Server, new_workflow_configuration


@pytest.fixture
def schedules(server: Server, group: str) -> Any:
    """This client object exists only on the client of the AI API."""
    client = AIAPIV2Client(
        base_url=f"{server.url}/v2/lm",
        auth_url=f"{server.url}/oauth/token",
        client_id=server.client.id,
        client_secret=server.client.secret,
        resource_group=group,
    )
    return client.execution_schedule


@pytest.fixture
def configuration_id(http: httpx.Client, server: Server) -> str:
    return new_workflow_configuration(http, server)


def test_the_life_of_an_execution(sdk: Any, server: Server, configuration_id: str) -> None:
    made = sdk.execution.create(configuration_id)
    assert (made.message, made.status) == ("Execution scheduled", SdkStatus.UNKNOWN)
    with pytest.raises(AIAPIPreconditionFailedException):
        sdk.execution.modify(made.id, TargetStatus.STOPPED)
    server.act_on_execution(made.id, Status.RUNNING)
    running = sdk.execution.get(made.id)
    assert (running.status, running.target_status) == (SdkStatus.RUNNING, TargetStatus.COMPLETED)
    assert (running.scenario_id, running.configuration_name) == ("workflows", "training")
    assert running.output_artifacts == []
    with pytest.raises(AIAPIPreconditionFailedException):
        sdk.execution.delete(made.id)
    assert sdk.execution.modify(made.id, TargetStatus.STOPPED).message == "Execution modification scheduled"
    assert sdk.execution.get(made.id).target_status is TargetStatus.STOPPED
    server.act_on_execution(made.id, Status.STOPPED)
    assert sdk.execution.delete(made.id).message == "Deletion scheduled"
    assert sdk.execution.get(made.id).target_status is TargetStatus.DELETED


def test_output_artifacts_are_whole_objects(sdk: Any, server: Server, configuration_id: str) -> None:
    execution_id = sdk.execution.create(configuration_id).id
    (artifact_id,) = server.act_on_execution(execution_id, Status.COMPLETED, ["model"])
    for found in (sdk.execution.get(execution_id), sdk.execution.query().resources[0]):
        (artifact,) = found.output_artifacts
        assert (artifact.id, artifact.scenario_id) == (artifact_id, "workflows")
        assert artifact.url == f"ai://default/{execution_id}/model"


def test_querying_and_counting(sdk: Any, server: Server, configuration_id: str) -> None:
    first, second = (sdk.execution.create(configuration_id).id for _ in range(2))
    server.act_on_execution(first, Status.DEAD)
    assert [found.id for found in sdk.execution.query().resources] == [second, first]
    assert [found.id for found in sdk.execution.query(status=SdkStatus.DEAD).resources] == [first]
    assert sdk.execution.query(executable_ids=["train", "other"], top=1, skip=1).resources[0].id == first
    assert sdk.execution.query(scenario_id="other").count == 0
    assert sdk.execution.count() == 2
    assert sdk.execution.count(status=SdkStatus.DEAD) == 1
    assert sdk.execution.get(first, select="status").status is SdkStatus.DEAD


def test_changing_many(sdk: Any, server: Server, configuration_id: str) -> None:
    running, unknown = (sdk.execution.create(configuration_id).id for _ in range(2))
    server.act_on_execution(running, Status.RUNNING)
    wishes = [BasicModifyRequest(each, TargetStatus.STOPPED) for each in (running, unknown)]
    accepted, refused = sdk.execution.bulk_modify(wishes).executions
    assert accepted.message == "Execution modification scheduled"
    assert (refused.id, refused.error.code) == (unknown, "01010076")


def test_logs_of_what_has_not_run_are_empty(sdk: Any, configuration_id: str) -> None:
    execution_id = sdk.execution.create(configuration_id).id
    now = datetime.now(UTC)
    for window in ({}, {"start": now}, {"start": datetime(1990, 1, 1), "end": now, "top": 5}):
        assert sdk.execution.query_logs(execution_id, **window).data.result == []


def test_errors_have_the_types_that_scripts_catch(sdk: Any, schedules: Any) -> None:
    with pytest.raises(AIAPINotFoundException):
        sdk.execution.get("e000000000000000")
    with pytest.raises(AIAPINotFoundException):
        sdk.execution.query_logs("e000000000000000")
    with pytest.raises(AIAPIInvalidRequestException):
        sdk.execution.create("no-such-configuration")
    with pytest.raises(AIAPIInvalidRequestException):
        schedules.create("nightly", "0 3 * * *", "no-such-configuration")
    with pytest.raises(AIAPINotFoundException):
        schedules.get("no-such-schedule")


def test_the_life_of_a_schedule(schedules: Any, configuration_id: str) -> None:
    start = datetime(2030, 1, 1, 12, 30, 15, 999, tzinfo=UTC)
    made = schedules.create("nightly", "30 3 * * *", configuration_id, start, start + timedelta(days=1))
    assert made.message == "Execution Schedule created"
    found = schedules.get(made.id)
    assert (found.name, found.cron, found.configuration_id) == ("nightly", "30 3 * * *", configuration_id)
    assert (found.status, found.start) == (ScheduleStatus.ACTIVE, start.replace(microsecond=0))
    changed = schedules.modify(made.id, cron="0 4 * * *", status=ScheduleStatus.INACTIVE)
    assert changed.message == "Execution Schedule modified"
    assert (schedules.get(made.id).cron, schedules.get(made.id).status) == ("0 4 * * *", ScheduleStatus.INACTIVE)
    assert schedules.query(status=ScheduleStatus.ACTIVE).count == 0
    assert [each.id for each in schedules.query(configuration_id=configuration_id).resources] == [made.id]
    assert schedules.count() == 1
    schedules.modify(made.id, status=ScheduleStatus.ACTIVE)
    assert schedules.get(made.id).status is ScheduleStatus.ACTIVE
    assert schedules.delete(made.id).message == "Execution Schedule deleted"
    with pytest.raises(AIAPINotFoundException):
        schedules.get(made.id)
