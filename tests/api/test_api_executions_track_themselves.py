"""From inside, an execution tracks itself without a token, by an address that opens nothing else."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from mooring.services.tracking_addresses import TrackedExecution, tracking_endpoint
from mooring.store.tables import Execution
from tests.api.api_server import Server, new_configuration

PATH = "/api/v1/metrics"
SCRIPT = """
from datetime import datetime, timezone
from ai_core_sdk.models import Metric, MetricCustomInfo, MetricTag
from ai_core_sdk.tracking import Tracking

tracking = Tracking()
tracking.log_metrics([Metric("loss", 0.25, datetime(2024, 5, 1, 10, tzinfo=timezone.utc), 3)], artifact_name="model")
tracking.log_metrics([Metric("accuracy", 1, None)])
tracking.set_tags([MetricTag("stage", "dev")])
tracking.set_custom_info([MetricCustomInfo("matrix", "[[1, 2]]")])
tracking.modify(tags=[MetricTag("stage", "prod")])
"""


@pytest.fixture
def execution(server: Server, http: httpx.Client, group: str) -> TrackedExecution:
    return new_execution(server, http, group)


def new_execution(server: Server, http: httpx.Client, group: str) -> TrackedExecution:
    """A row, as executions leave it; what runs it is of no matter here."""
    execution_id = f"e{group[-12:]}"
    row = Execution(
        id=execution_id,
        resource_group=group,
        configuration_id=new_configuration(http),
        configuration_name="wine",
        scenario_id="mooring",
        executable_id="model-server",
        status="RUNNING",
        target_status="COMPLETED",
    )
    with server.database.transaction() as session:
        session.add(row)
    return TrackedExecution(execution_id, group)


@pytest.fixture
def endpoint(server: Server, execution: TrackedExecution) -> str:
    return tracking_endpoint(server.url, execution, server.context.vault)


def _track(endpoint: str, execution: TrackedExecution, **more: Any) -> httpx.Response:
    body = {"executionId": execution.id, "tags": [{"name": "a", "value": "b"}], **more}
    return httpx.patch(endpoint + PATH, json=body)


def _tags(http: httpx.Client, execution: TrackedExecution) -> list[dict[str, str]]:
    found = http.get(f"/v2/lm/metrics?executionIds={execution.id}").json()["resources"]
    return [tag for resource in found for tag in resource["tags"]]


def test_the_sdk_in_a_container(http: httpx.Client, execution: TrackedExecution, endpoint: str) -> None:
    environment = {**os.environ, "AICORE_EXECUTION_ID": execution.id, "AICORE_TRACKING_ENDPOINT": endpoint}
    subprocess.run([sys.executable, "-c", SCRIPT], env=environment, check=True, timeout=120)
    (shown,) = http.get(f"/v2/lm/metrics?executionIds={execution.id}").json()["resources"]
    loss, accuracy = shown["metrics"]
    assert (loss["name"], loss["value"], loss["step"]) == ("loss", 0.25, 3)
    assert loss["timestamp"] == "2024-05-01T10:00:00Z"
    assert loss["labels"] == [{"name": "metrics.ai.sap.com/Artifact.name", "value": "model"}]
    assert (accuracy["name"], accuracy["step"]) == ("accuracy", 0)
    assert shown["tags"] == [{"name": "stage", "value": "prod"}]
    assert shown["customInfo"] == [{"name": "matrix", "value": "[[1, 2]]"}]


@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}, {"AI-Resource-Group": "default"}])
def test_headers_do_not_matter(
    http: httpx.Client, execution: TrackedExecution, endpoint: str, headers: dict[str, str]
) -> None:
    body = {"executionId": execution.id, "tags": [{"name": "a", "value": "b"}]}
    assert httpx.patch(endpoint + PATH, json=body, headers=headers).status_code == 204
    assert _tags(http, execution) == [{"name": "a", "value": "b"}]


@pytest.mark.parametrize(
    "change",
    [
        lambda made: made[:-1],
        lambda made: made + "x",
        lambda made: made.replace("/tracking/", "/tracking/x"),
        lambda made: made.rpartition("~")[0] + "~",
        lambda made: made.rpartition("~")[0] + "~" + "A" * 43,
        lambda made: made.rpartition("/")[0] + "/~~",
        lambda made: made.replace("~test-", "~tesu-"),
    ],
)
def test_another_address_opens_nothing(
    http: httpx.Client, execution: TrackedExecution, endpoint: str, change: Callable[[str], str]
) -> None:
    assert _track(change(endpoint), execution).status_code == 404
    assert _tags(http, execution) == []


def test_one_execution_cannot_track_another(
    server: Server, http: httpx.Client, execution: TrackedExecution, endpoint: str
) -> None:
    other = TrackedExecution("e000000000000000", execution.resource_group)
    refused = _track(endpoint, other)
    assert refused.status_code == 403
    assert refused.json()["error"]["details"][0].keys() == {"code", "message"}
    assert _tags(http, other) == _tags(http, execution) == []


def test_it_ends_with_the_execution(server: Server, execution: TrackedExecution, endpoint: str) -> None:
    assert _track(endpoint, execution).status_code == 204
    with server.database.transaction() as session:
        session.delete(session.get_one(Execution, execution.id))
    assert _track(endpoint, execution).status_code == 404


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST", "PUT"])
def test_it_only_adds(execution: TrackedExecution, endpoint: str, method: str) -> None:
    answer = httpx.request(method, f"{endpoint}{PATH}?executionIds={execution.id}&executionId={execution.id}")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "PATCH"


@pytest.mark.parametrize(
    "path", ["", "/", "/api/v1", "/api/v1/metrics/", "/api/v1/metrics/x", "/v2/lm/metrics", "//api/v1/metrics"]
)
def test_all_other_paths_want_a_token(endpoint: str, path: str) -> None:
    assert httpx.patch(endpoint + path, json={}).status_code == 401


def test_a_strangers_body_is_not_read(server: Server) -> None:
    """The answer comes although nothing of the body has been sent."""
    head = b"PATCH /tracking/e0000~default~AAAA/api/v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n"
    address = httpx.URL(server.url)
    with socket.create_connection((address.host, address.port or 0), timeout=10) as stranger:
        stranger.sendall(head)
        assert stranger.recv(65_536).startswith(b"HTTP/1.1 404 ")


def test_bodies_have_the_limits_of_callers_with_a_token(execution: TrackedExecution, endpoint: str) -> None:
    large = {"name": "large", "value": "x" * 4_900_000}
    assert _track(endpoint, execution, customInfo=[large]).status_code == 204
    refused = _track(endpoint, execution, customInfo=[{"name": "more", "value": "x" * 200_000}])
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "02000005")


def test_the_address_is_not_shown(execution: TrackedExecution, endpoint: str, caplog: pytest.LogCaptureFixture) -> None:
    permission = endpoint.rpartition("/")[2]
    mac = permission.rpartition("~")[2]
    with caplog.at_level(logging.DEBUG, logger="mooring"):
        answers = [
            _track(endpoint, execution),
            _track(endpoint, TrackedExecution("e000000000000000", "default")),
            httpx.get(endpoint + PATH),
            httpx.get(endpoint),
            httpx.get(endpoint.replace("/tracking", "//tracking") + PATH),
            httpx.patch(endpoint + PATH, json={"executionId": execution.id, "tags": "wrong"}),
        ]
    assert [answer.status_code for answer in answers] == [204, 403, 405, 401, 401, 400]
    assert "/tracking/***/api/v1/metrics" in caplog.text
    assert mac not in caplog.text
    assert all(mac not in answer.text for answer in answers)
