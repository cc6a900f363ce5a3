"""Metrics are appended, tags and custom info are put by name, and all of it is found again as it was asked for."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.api.api_server import Server

PATH = "/v2/lm/metrics"
EXECUTION = "e0123456789abcde"


def _patch(http: httpx.Client, execution_id: str = EXECUTION, **body: Any) -> None:
    answer = http.patch(PATH, json={"executionId": execution_id, **body})
    assert (answer.status_code, answer.content) == (204, b""), answer.text


def _get(http: httpx.Client, query: str = f"executionIds={EXECUTION}") -> dict[str, Any]:
    answer = http.get(f"{PATH}?{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert found["count"] == len(found["resources"])
    return found


def _one(http: httpx.Client, query: str = f"executionIds={EXECUTION}") -> dict[str, Any]:
    (resource,) = _get(http, query)["resources"]
    found: dict[str, Any] = resource
    return found


def test_metrics_are_appended_in_order(http: httpx.Client) -> None:
    first = {"name": "loss", "value": 0.5, "timestamp": "2024-05-01T10:00:00Z", "step": 1, "labels": []}
    label = {"name": "metrics.ai.sap.com/Artifact.name", "value": "the model"}
    second = {"name": "Mean Squared Error", "value": 3, "timestamp": "2024-05-01T12:00:00.25+02:00", "labels": [label]}
    _patch(http, metrics=[first])
    _patch(http, metrics=[second, {**first, "step": 2}])
    shown = _one(http)
    assert shown["executionId"] == EXECUTION
    assert [(m["name"], m["value"], m["step"]) for m in shown["metrics"]] == [
        ("loss", 0.5, 1),
        ("Mean Squared Error", 3, 0),
        ("loss", 0.5, 2),
    ]
    assert shown["metrics"][1]["timestamp"] == "2024-05-01T10:00:00.250000Z"
    assert shown["metrics"][1]["labels"] == [label]
    assert (shown["tags"], shown["customInfo"]) == ([], [])


@pytest.mark.parametrize("given", [{}, {"timestamp": None, "step": None, "labels": None}])
def test_what_is_absent_or_null_is_filled_in(http: httpx.Client, given: dict[str, None]) -> None:
    before = datetime.now(UTC)
    _patch(http, metrics=[{"name": "n", "value": 1, **given}])
    (metric,) = _one(http)["metrics"]
    assert before <= datetime.fromisoformat(metric["timestamp"]) <= datetime.now(UTC)
    assert (metric["step"], metric["labels"]) == (0, [])


def test_a_moment_without_a_zone_is_in_utc(http: httpx.Client) -> None:
    _patch(http, metrics=[{"name": "n", "value": 1, "timestamp": "2024-05-01T10:00:00"}])
    assert _one(http)["metrics"][0]["timestamp"] == "2024-05-01T10:00:00Z"


def test_tags_and_custom_info_are_put_by_name(http: httpx.Client) -> None:
    _patch(http, tags=[_pair("b", "1"), _pair("a", "2")], customInfo=[_pair("b", "{}")])
    _patch(http, tags=[_pair("b", "3"), _pair("c", "4"), _pair("c", "5")], customInfo=[_pair("a", "[]")])
    shown = _one(http)
    assert shown["tags"] == [_pair("b", "3"), _pair("a", "2"), _pair("c", "5")]
    assert shown["customInfo"] == [_pair("b", "{}"), _pair("a", "[]")]
    assert shown["metrics"] == []


def test_nothing_makes_an_empty_resource(http: httpx.Client) -> None:
    _patch(http)
    _patch(http, metrics=None, tags=None, customInfo=None)
    assert _one(http)["metrics"] == []


@pytest.mark.parametrize("content_type", ["application/json", "application/merge-patch+json"])
def test_both_types_of_a_patch(http: httpx.Client, content_type: str) -> None:
    body = b'{"executionId": "e0123456789abcde", "tags": [{"name": "a", "value": "b"}]}'
    assert http.patch(PATH, content=body, headers={"Content-Type": content_type}).status_code == 204
    assert _one(http)["tags"] == [_pair("a", "b")]


@pytest.mark.parametrize(
    ("select", "parts"),
    [
        ("metrics", {"metrics"}),
        ("tags,customInfo", {"tags", "customInfo"}),
        ("*", {"metrics", "tags", "customInfo"}),
        ("tags,*", {"metrics", "tags", "customInfo"}),
    ],
)
def test_select(http: httpx.Client, select: str, parts: set[str]) -> None:
    _patch(http, metrics=[{"name": "n", "value": 1}], tags=[_pair("a", "b")])
    shown = _one(http, f"executionIds={EXECUTION}&$select={select}")
    assert shown.keys() == {"executionId", "createdAt", "modifiedAt", *parts}


@pytest.mark.parametrize(
    "query",
    [
        "executionIds=e00000000000001,e00000000000002",
        "executionIds=e00000000000001&executionIds=e00000000000002",
        "$filter=executionId in ('e00000000000001','e00000000000002')",
        "$filter=executionId in (e00000000000001, e00000000000002)",
        "filter= executionId  in( 'e00000000000001' ,e00000000000002 ) ",
    ],
)
def test_several_executions(http: httpx.Client, query: str) -> None:
    for number in (1, 2, 3):
        _patch(http, f"e0000000000000{number}", tags=[_pair("n", str(number))])
    assert [r["executionId"] for r in _get(http, query)["resources"]] == ["e00000000000002", "e00000000000001"]


@pytest.mark.parametrize("text", [f"executionId eq '{EXECUTION}'", f"executionId eq {EXECUTION}"])
def test_filter_of_one(http: httpx.Client, text: str) -> None:
    _patch(http)
    assert _one(http, f"$filter={text}")["executionId"] == EXECUTION


def test_pages_are_of_executions(http: httpx.Client) -> None:
    ids = [f"e0000000000000{number}" for number in range(3)]
    for execution_id in ids:
        _patch(http, execution_id)
    all_of_them = f"executionIds={','.join(ids)}"
    assert [r["executionId"] for r in _get(http, f"{all_of_them}&$top=1&$skip=1")["resources"]] == [ids[1]]
    assert _get(http, f"{all_of_them}&top=0")["count"] == 0


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ("stage=dev", {"one"}),
        ("stage!=dev", {"two", "three"}),
        ("stage=dev,owner=a b", {"one"}),
        ("stage=dev,owner!=a b", set()),
        ("owner=a b", {"one", "two"}),
        ("owner=x{comma}y=z", {"three"}),
    ],
)
def test_tag_filters(http: httpx.Client, filters: str, found: set[str]) -> None:
    _patch(http, "e-one", tags=[_pair("stage", "dev"), _pair("owner", "a b")], customInfo=[_pair("stage", "prod")])
    _patch(http, "e-two", tags=[_pair("stage", "prod"), _pair("owner", "a b")])
    _patch(http, "e-three", tags=[_pair("owner", "x,y=z")])
    answer = http.get(PATH, params={"executionIds": "e-one,e-two,e-three", "tagFilters": filters}).json()
    assert {resource["executionId"] for resource in answer["resources"]} == {f"e-{name}" for name in found}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "executionIds=",
        "executionIds=abc",
        "executionIds=e0000,%00%00%00%00",
        "executionIds=" + ",".join(f"e{number:04}" for number in range(11)),
        f"executionIds={EXECUTION}&$filter=executionId eq '{EXECUTION}'",
        "$filter=",
        "$filter=executionId",
        f"$filter=executionId ne '{EXECUTION}'",
        f"$filter=executionId eq '{EXECUTION}",
        f"$filter=executionId eq '{EXECUTION}' or executionId eq '{EXECUTION}'",
        f"$filter=executionid eq '{EXECUTION}'",
        "$filter=executionId in ()",
        "$filter=executionId in ('e0000'",
        "$filter=executionId in ('e0000',)",
        "$filter=executionId in ('e0000,e0001')",
        "$filter=executionId eq e0000,e0001",
        "$filter=executionId in (" + ",".join(f"'e{number:04}'" for number in range(11)) + ")",
        "$filter=" + "x" * 5000,
        f"executionIds={EXECUTION}&$select=everything",
        f"executionIds={EXECUTION}&$select=",
        f"executionIds={EXECUTION}&$top=10001",
        f"executionIds={EXECUTION}&$skip=-1",
        f"executionIds={EXECUTION}&tagFilters=nonsense",
        f"executionIds={EXECUTION}&tagFilters=",
        f"executionIds={EXECUTION}&tagFilters=a=%00",
        f"executionIds={EXECUTION}&tagFilters=" + ",".join(["a=b"] * 101),
    ],
)
def test_bad_queries(http: httpx.Client, query: str) -> None:
    _findings_of(http.get(f"{PATH}?{query}"), 400)


@pytest.mark.parametrize(
    "metric",
    [
        {"name": "n"},
        {"value": 1},
        {"name": "", "value": 1},
        {"name": "x" * 257, "value": 1},
        {"name": "a\0b", "value": 1},
        {"name": "n", "value": None},
        {"name": "n", "value": "1"},
        {"name": "n", "value": True},
        {"name": "n", "value": 10**400},
        {"name": "n", "value": 1, "step": -1},
        {"name": "n", "value": 1, "step": 2**31},
        {"name": "n", "value": 1, "step": 0.5},
        {"name": "n", "value": 1, "timestamp": 1714557600},
        {"name": "n", "value": 1, "timestamp": "yesterday"},
        {"name": "n", "value": 1, "timestamp": ""},
        {"name": "n", "value": 1, "timestamp": "0001-01-01T00:00:00+14:00"},
        {"name": "n", "value": 1, "timestamp": "9999-12-31T23:59:59-14:00"},
        {"name": "n", "value": 1, "labels": [{"name": "l", "value": "v"}] * 21},
        {"name": "n", "value": 1, "labels": [{"name": "l", "value": ""}]},
        {"name": "n", "value": 1, "labels": [{"name": "l", "value": "x" * 257}]},
    ],
)
def test_bad_metrics(http: httpx.Client, metric: dict[str, Any]) -> None:
    answer = http.patch(PATH, json={"executionId": EXECUTION, "metrics": [metric]})
    assert "metrics[0]." in _findings_of(answer, 400)[0]["message"]
    assert _get(http)["count"] == 0


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_what_is_no_number(http: httpx.Client, number: bytes) -> None:
    body = b'{"executionId": "e0123456789abcde", "metrics": [{"name": "n", "value": %s}]}' % number
    _findings_of(http.patch(PATH, content=body, headers={"Content-Type": "application/json"}), 400)


def _pair(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


def _many(number: int, value: str = "v") -> list[dict[str, str]]:
    return [_pair(f"n{index}", value) for index in range(number)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"executionId": "abc"},
        {"executionId": None},
        {"executionId": "../../x"},
        {"executionId": EXECUTION, "metrics": [{"name": "n", "value": 1}] * 1001},
        {"executionId": EXECUTION, "tags": _many(101)},
        {"executionId": EXECUTION, "customInfo": _many(101)},
        {"executionId": EXECUTION, "tags": [_pair("", "x")]},
        {"executionId": EXECUTION, "tags": [_pair("x", "y" * 257)]},
        {"executionId": EXECUTION, "customInfo": [_pair("x", "a\0b")]},
        {"executionId": EXECUTION, "customInfo": [{"name": "x", "value": {}}]},
        {"executionId": EXECUTION, "tags": "x"},
        {"executionId": EXECUTION, "metrics": [None]},
    ],
)
def test_bad_bodies(http: httpx.Client, body: dict[str, Any]) -> None:
    _findings_of(http.patch(PATH, json=body), 400)
    assert _get(http)["count"] == 0


def test_limits_hold_over_many_calls(http: httpx.Client) -> None:
    _patch(http, tags=_many(100), customInfo=_many(100))
    _patch(http, tags=_many(100, "w"), customInfo=_many(100, "w"))
    for field in ("tags", "customInfo"):
        answer = http.patch(PATH, json={"executionId": EXECUTION, field: [_pair("one more", "v")]})
        assert field in _findings_of(answer, 400)[0]["message"]
    assert {tag["value"] for tag in _one(http)["tags"]} == {"w"}


def test_custom_info_is_limited_by_its_bytes(http: httpx.Client) -> None:
    _patch(http, customInfo=[_pair("a", "€" * 800_000)])
    _patch(http, customInfo=[_pair("b", "x" * 2_600_000)])
    refused = http.patch(PATH, json={"executionId": EXECUTION, "customInfo": [_pair("c", "1")]})
    assert _error_of(refused, 413)["code"] == "02000005"
    _patch(http, customInfo=[_pair("a", "short"), _pair("c", "1")])
    assert [info["name"] for info in _one(http)["customInfo"]] == ["a", "b", "c"]


def test_deleting(http: httpx.Client) -> None:
    _patch(http, metrics=[{"name": "n", "value": 1}], tags=[_pair("a", "b")])
    answer = http.delete(f"{PATH}?executionId={EXECUTION}")
    assert (answer.status_code, answer.json()["id"]) == (200, EXECUTION)
    assert answer.json()["message"]
    assert _get(http)["count"] == 0
    error = _error_of(http.delete(f"{PATH}?executionId={EXECUTION}"), 404)
    assert error["code"] == "02010055"
    assert error["details"] == [{"code": "02010055", "message": error["message"]}]
    _patch(http)
    assert _one(http)["tags"] == []


@pytest.mark.parametrize("query", ["", "?executionId=", "?executionId=abc", "?executionId=%00%00%00%00"])
def test_deleting_nothing(http: httpx.Client, query: str) -> None:
    _findings_of(http.delete(PATH + query), 400)


def test_groups_track_apart(server: Server, http: httpx.Client, group: str) -> None:
    other = f"{group}-other"
    _patch(http, tags=[_pair("a", "b")])
    with server.http(other) as stranger:
        stranger.post("/v2/admin/resourceGroups", json={"resourceGroupId": other}).raise_for_status()
        assert _get(stranger)["count"] == 0
        assert stranger.delete(f"{PATH}?executionId={EXECUTION}").status_code == 404
        _patch(stranger, tags=[_pair("a", "c")])
        assert _one(stranger)["tags"] == [_pair("a", "c")]
    assert _one(http)["tags"] == [_pair("a", "b")]


def _findings_of(answer: httpx.Response, status: int) -> list[dict[str, str]]:
    findings: list[dict[str, str]] = _error_of(answer, status)["details"]
    return findings


def _error_of(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The inner object of an envelope, whose `details` are a list here."""
    assert answer.status_code == status, answer.text
    error: dict[str, Any] = answer.json()["error"]
    assert error["message"]
    assert error["details"]
    assert all(finding.keys() == {"code", "message"} for finding in error["details"])
    return error
