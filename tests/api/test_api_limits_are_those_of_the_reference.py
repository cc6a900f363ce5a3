"""Lengths and counts at a limit are taken, one more is refused with a word about what is allowed."""

from typing import Any

import httpx
import pytest

from tests.api.api_server import new_deployment
from tests.api.test_api_errors_have_one_shape import error_of

LM, ADMIN = "/v2/lm", "/v2/admin"
ARTIFACT = {"name": "a", "kind": "model", "url": "ai://default/x", "scenarioId": "mooring"}
CONFIGURATION = {"name": "c", "scenarioId": "mooring", "executableId": "model-server"}
LABEL = "ext.ai.sap.com/"


def _bindings(count: int) -> list[dict[str, str]]:
    return [{"key": f"key-{number}", "value": ""} for number in range(count)]


def _pair(key: str, value_length: int, prefix: str = "") -> list[dict[str, str]]:
    return [{"key": prefix + key, "value": "v" * value_length}]


def _items(count: int) -> list[dict[str, str]]:
    return [{"id": f"d{number:015}", "targetStatus": "STOPPED"} for number in range(count)]


def _metrics(count: int, labels: int = 0) -> list[dict[str, Any]]:
    several = [{"name": f"l{number}", "value": "v"} for number in range(labels)]
    return [{"name": "m", "value": 1, "labels": several}] * count


def _tags(count: int) -> list[dict[str, str]]:
    return [{"name": f"t{number}", "value": "v"} for number in range(count)]


@pytest.mark.parametrize(
    ("path", "body", "field", "at_limit", "beyond"),
    [
        ("artifacts", ARTIFACT, "name", "n" * 256, "n" * 257),
        ("artifacts", ARTIFACT, "description", "d" * 5000, "d" * 5001),
        ("artifacts", ARTIFACT, "url", "ai://" + "u" * 1019, "ai://" + "u" * 1020),
        ("artifacts", ARTIFACT, "labels", _pair("k" * 241, 5000, LABEL), _pair("k" * 242, 1, LABEL)),
        ("configurations", CONFIGURATION, "name", "", "`"),
        ("configurations", CONFIGURATION, "parameterBindings", _bindings(1000), _bindings(1001)),
        ("configurations", CONFIGURATION, "parameterBindings", _pair("k" * 256, 5000), _pair("k", 5001)),
    ],
)
def test_what_is_made_in_a_group(
    http: httpx.Client, path: str, body: dict[str, str], field: str, at_limit: object, beyond: object
) -> None:
    made = http.post(f"{LM}/{path}", json={**body, field: at_limit})
    assert made.status_code == 201, made.text
    assert http.get(made.headers["location"]).json()[field] == at_limit
    assert error_of(http.post(f"{LM}/{path}", json={**body, field: beyond}), 400)["message"].startswith(field)


@pytest.mark.parametrize("kind", ["deployments", "executions"])
def test_bulk_changes_take_one_to_a_hundred(http: httpx.Client, kind: str) -> None:
    assert len(http.patch(f"{LM}/{kind}", json={kind: _items(100)}).json()[kind]) == 100
    for count in (0, 101):
        message = error_of(http.patch(f"{LM}/{kind}", json={kind: _items(count)}), 400)["message"]
        assert message.startswith(f"{kind}: must have at ")
        assert message.endswith(f", not {count}")


@pytest.mark.parametrize(
    ("at_limit", "beyond"),
    [
        ({"metrics": _metrics(1000)}, {"metrics": _metrics(1001)}),
        ({"metrics": _metrics(1, 20)}, {"metrics": _metrics(1, 21)}),
        ({"tags": _tags(100)}, {"tags": _tags(101)}),
        ({"customInfo": _tags(100)}, {"customInfo": _tags(101)}),
        ({"tags": [{"name": "n" * 256, "value": "v" * 256}]}, {"tags": [{"name": "n", "value": "v" * 257}]}),
    ],
)
def test_what_is_tracked(http: httpx.Client, at_limit: dict[str, Any], beyond: dict[str, Any]) -> None:
    for body, status in ((at_limit, 204), (beyond, 400)):
        assert http.patch(f"{LM}/metrics", json={"executionId": "e000000000000000", **body}).status_code == status


@pytest.mark.parametrize("noun", ["resourceGroups", "repositories", "secrets", "objectStoreSecrets"])
def test_admin_lists_have_no_highest_top(http: httpx.Client, noun: str) -> None:
    for top in ("0", "1", "100001", "2147483647"):
        assert http.get(f"{ADMIN}/{noun}?$top={top}").status_code == 200
    error_of(http.get(f"{ADMIN}/{noun}?$top=-1"), 400)


def test_logs_begin_at_a_moment_and_not_at_a_number(http: httpx.Client) -> None:
    path = f"{LM}/deployments/{new_deployment(http)}/logs"
    for start in ("1990-01-01T00:00:00Z", "2024-05-01T10:00:00.123456Z", "2024-05-01T10:00:00"):
        assert http.get(path, params={"start": start}).json() == {"data": {"result": []}}
    for start in ("2024", "1714557600", "", "2024-05-01"):
        assert "2026-01-31T12:00:00Z" in error_of(http.get(path, params={"start": start}), 400)["message"]


def test_answers_without_a_body_declare_none(http: httpx.Client) -> None:
    file = f"{LM}/dataset/files/default/a.csv"
    http.put(file, content=b"1").raise_for_status()
    tracked = {"executionId": "e000000000000000"}
    for answer in (http.delete(file), http.patch(f"{LM}/metrics", json=tracked)):
        assert (answer.status_code, "content-type" in answer.headers) == (204, False)
