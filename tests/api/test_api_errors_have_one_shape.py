"""Whatever goes wrong, the answer is the envelope: code, message, requestId, target, details."""

import logging
import socket
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from mooring.api import request_ids
from mooring.store.database import Database
from tests.api.api_server import Server, new_configuration, running_server

CONFIGURATIONS = "/v2/lm/configurations"
VALID = {"name": "n", "scenarioId": "mooring", "executableId": "model-server"}


def error_of(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The inner object of an envelope, after checking all of its form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body.keys() == {"error"}
    error: dict[str, Any] = body["error"]
    assert error.keys() == {"code", "message", "requestId", "target", "details"}
    assert isinstance(error["code"], str)
    assert error["code"].isdigit()
    assert isinstance(error["message"], str)
    assert error["message"]
    assert isinstance(error["details"], dict)
    assert error["requestId"] == answer.headers["x-request-id"]
    assert error["target"] == answer.request.url.path
    return error


def test_an_unknown_route(http: httpx.Client) -> None:
    error_of(http.get("/v2/lm/nothing"), 404)
    error_of(http.get("/v2/lm/scenarios/"), 404)
    error_of(http.get("/nothing/at/all"), 404)


def test_a_method_that_a_path_does_not_take(http: httpx.Client) -> None:
    for path, allowed in (
        (CONFIGURATIONS, "GET, POST"),
        ("/v2/lm/deployments", "GET, POST, PATCH"),
        ("/v2/lm/deployments/d000000000000000", "GET, PATCH, DELETE"),
        ("/v2/admin/tenantInfo", "GET"),
    ):
        answer = http.put(path, json={})
        assert allowed in error_of(answer, 405)["message"]
        assert answer.headers["allow"] == allowed


def test_an_object_that_does_not_exist(http: httpx.Client) -> None:
    for path in ("configurations", "artifacts", "deployments", "scenarios"):
        assert "nothing-here" in error_of(http.get(f"/v2/lm/{path}/nothing-here"), 404)["message"]


def test_broken_json(http: httpx.Client) -> None:
    answer = http.post(CONFIGURATIONS, content='{"name": ', headers={"Content-Type": "application/json"})
    assert "JSON" in error_of(answer, 400)["message"]


def test_a_body_that_is_not_declared_as_json(http: httpx.Client) -> None:
    answer = http.post(CONFIGURATIONS, content=b"{}", headers={"Content-Type": "text/plain"})
    assert "application/json" in error_of(answer, 400)["message"]


def test_a_missing_body(http: httpx.Client) -> None:
    assert error_of(http.post(CONFIGURATIONS), 400)["message"] == "body: is required"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"name": 5}, "name"),
        ({"name": "x" * 257}, "name"),
        ({"scenarioId": "no"}, "scenarioId"),
        ({"scenarioId": "../../etc"}, "scenarioId"),
        ({"parameterBindings": {}}, "parameterBindings"),
        ({"parameterBindings": [{"key": "a"}]}, "parameterBindings[0].value"),
        ({"parameterBindings": [{"key": "a", "value": 1}]}, "parameterBindings[0].value"),
        ({"parameterBindings": [{"key": "a", "value": "\0"}]}, "parameterBindings[0].value"),
        ({"parameterBindings": [{"key": "a", "value": "x" * 5001}]}, "parameterBindings[0].value"),
        ({"parameterBindings": [{"key": "k", "value": "v"}] * 1001}, "parameterBindings"),
        ({"inputArtifactBindings": [{"key": "a", "artifactId": "x y"}]}, "inputArtifactBindings[0].artifactId"),
    ],
)
def test_validation_names_the_field(http: httpx.Client, change: dict[str, Any], field: str) -> None:
    error = error_of(http.post(CONFIGURATIONS, json={**VALID, **change}), 400)
    assert error["message"].startswith(f"{field}: ")
    assert error["details"]["fields"][0]["field"] == field


def test_validation_names_every_missing_field_and_repeats_no_value(http: httpx.Client) -> None:
    error = error_of(http.post(CONFIGURATIONS, json={"name": ["a-secret"]}), 400)
    assert {item["field"] for item in error["details"]["fields"]} == {"name", "scenarioId", "executableId"}
    assert "a-secret" not in str(error)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("status=FAILED", "PENDING"),
        ("$top=-1", "$top"),
        ("top=100001", "100000"),
        ("$skip=9999999999999999999999", "$skip"),
        ("$select=everything", "$select"),
        ("executableIds=a,b", "executableIds"),
        ("scenarioId=x", "scenarioId"),
    ],
)
def test_query_parameters_say_what_is_allowed(http: httpx.Client, query: str, named: str) -> None:
    assert named in error_of(http.get(f"/v2/lm/deployments?{query}"), 400)["message"]


def test_a_body_that_is_too_large(tmp_path: Path) -> None:
    with running_server(tmp_path, max_request_bytes=1000) as server, server.http() as http:
        declared = http.post(CONFIGURATIONS, content=b"x" * 1001)
        assert error_of(declared, 413)["code"] == "02000005"
        chunked = http.post(CONFIGURATIONS, content=iter([b"x" * 600, b"x" * 600]))
        assert "1000 bytes" in error_of(chunked, 413)["message"]
        assert new_configuration(http)


def test_an_unexpected_error_is_in_the_log_and_not_in_the_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down() -> bool:
        raise ZeroDivisionError("a secret thing")

    caplog.handler.addFilter(request_ids.RequestIdFilter())
    with running_server(tmp_path, ready=break_down) as server, server.http() as http, caplog.at_level(logging.INFO):
        error = error_of(http.get("/v2/lm/healthz"), 500)
    assert "secret" not in str(error)
    logged = next(record for record in caplog.records if record.exc_info)
    assert "a secret thing" in str(logged.exc_info)
    assert vars(logged)["request_id"] == error["requestId"]


def test_a_store_that_does_not_answer(tmp_path: Path) -> None:
    away = Database(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder' / 'x.db'}")
    with running_server(tmp_path, database=away) as server, server.http() as http:
        assert "store" in error_of(http.get("/v2/lm/scenarios"), 503)["message"]


def test_a_request_id_of_the_gateway_is_kept_and_a_strange_one_is_replaced(http: httpx.Client) -> None:
    kept = http.get("/v2/lm/nothing", headers={"x-request-id": "from-the-gateway"})
    assert error_of(kept, 404)["requestId"] == "from-the-gateway"
    replaced = http.get("/v2/lm/meta", headers={"x-request-id": 'a "forged" line'})
    assert '"' not in replaced.headers["x-request-id"]
    assert len(replaced.headers["x-request-id"]) == 36


def test_every_request_is_in_the_access_log_without_its_query(
    http: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    request_id = uuid.uuid4().hex
    caplog.handler.addFilter(request_ids.RequestIdFilter())
    with caplog.at_level(logging.INFO, "mooring.access"):
        http.get("/v2/lm/meta?token=secret", headers={"x-request-id": request_id})
        line = _wait_for_access_line(caplog, request_id)  # it is written after the answer
    assert line.startswith("GET '/v2/lm/meta' 200 ")
    assert "secret" not in line


def test_a_client_that_leaves_is_no_error_of_ours(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    request_id = uuid.uuid4().hex
    caplog.handler.addFilter(request_ids.RequestIdFilter())
    url = httpx.URL(server.url)
    head = f"POST /oauth/token HTTP/1.1\r\nHost: x\r\nX-Request-Id: {request_id}\r\nContent-Length: 9\r\n\r\n"
    with caplog.at_level(logging.INFO):
        with socket.create_connection((url.host, url.port or 0)) as connection:
            connection.sendall(head.encode() + b"half")
        _wait_for_access_line(caplog, request_id)
    ours = [record for record in caplog.records if vars(record).get("request_id") == request_id]
    assert not [record for record in ours if record.levelno >= logging.ERROR]


def _wait_for_access_line(caplog: pytest.LogCaptureFixture, request_id: str) -> str:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        for record in caplog.records:
            if record.name == "mooring.access" and vars(record)["request_id"] == request_id:
                return record.getMessage()
        time.sleep(0.01)
    raise AssertionError("no line in the access log")
