"""While PostgreSQL is away every answer says so, in our envelope; when it is back, so are we."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import postgresql as programs
from tests.api.api_server import Server, new_deployment, running_server
from tests.postgresql import PASSWORD, Postgresql, own_server

PATHS = ["/v2/lm/deployments", "/v2/lm/scenarios", "/v2/lm/deployments/$count", "/v2/admin/resourceGroups"]


@pytest.fixture(scope="module")
def own() -> Iterator[Postgresql]:
    if programs.programs() is None:
        pytest.skip("PostgreSQL is not on this machine")
    with own_server() as server:
        yield server


@pytest.fixture
def alone(own: Postgresql, tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path, own.new_database(migrated=False)) as started:
        yield started


def test_away_and_back(own: Postgresql, alone: Server, caplog: pytest.LogCaptureFixture) -> None:
    with alone.http("default") as http:
        deployment = new_deployment(http)
        own.stop()
        answers = [http.get(path) for path in PATHS]
        answers.append(http.post("/v2/lm/configurations", json=_configuration()))
        answers.append(http.patch(f"/v2/lm/deployments/{deployment}", json={"targetStatus": "STOPPED"}))
        answers.append(_token(alone))
        own.start()
        found = _once_it_is_back(http, f"/v2/lm/deployments/{deployment}")
        assert found.json()["targetStatus"] == "RUNNING"
        assert http.post("/v2/lm/configurations", json=_configuration()).status_code == 201
        assert _token(alone).status_code == 200
    for answer in answers:
        assert answer.status_code == 503, answer.text
        assert answer.json()["error"]["message"] == "the store does not answer: try again in a moment"
    assert PASSWORD not in caplog.text


def test_a_value_that_cannot_be_kept_is_the_callers_fault(server: Server, http: httpx.Client) -> None:
    """Checks come first; this is what holds where one is missing."""
    for name in ("\\u0000", "x" * 10_000):
        body = json.dumps({**_configuration(), "name": "NAME"}).replace("NAME", name)
        answer = http.post("/v2/lm/configurations", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, answer.text


def _once_it_is_back(http: httpx.Client, path: str) -> httpx.Response:
    """The first answer that is not "try again in a moment"."""
    deadline = time.monotonic() + 20
    while (answer := http.get(path)).status_code == 503:
        assert time.monotonic() < deadline, answer.text
    assert answer.status_code == 200, answer.text
    return answer


def _configuration() -> dict[str, object]:
    binding = {"key": "modelUri", "value": "models:/wine/1"}
    return {
        "name": "c",
        "scenarioId": "mooring",
        "executableId": "model-server",
        "parameterBindings": [binding],
    }


def _token(server: Server) -> httpx.Response:
    return httpx.post(
        f"{server.url}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(server.client.id, server.client.secret),
        timeout=30,
    )
