"""Nothing that a client sends leads to a 5xx, to a lost connection, or to an answer in another form."""

import json
from typing import Any

import httpx
import pytest

from tests.api.api_server import MODEL_URI, Server, new_configuration, new_deployment, on_one_store
from tests.api.test_api_errors_have_one_shape import error_of

JSON = {"Content-Type": "application/json"}
WRITES = (
    ("POST", "/v2/lm/configurations"),
    ("POST", "/v2/lm/artifacts"),
    ("POST", "/v2/lm/deployments"),
    ("PATCH", "/v2/lm/deployments"),
    ("PATCH", "/v2/lm/deployments/d000000000000000"),
    ("POST", "/v2/admin/resourceGroups"),
    ("PATCH", "/v2/admin/resourceGroups/default"),
)
BODIES = {
    "empty": b"",
    "half": b'{"name": "x"',
    "trailing": b"{} {}",
    "deep list": b"[" * 100_000 + b"]" * 100_000,
    "deep object": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "huge integer": b'{"name": ' + b"9" * 10_000 + b"}",
    "huge float": b'{"name": 1e999999}',
    "not a number": b'{"name": NaN}',
    "no utf-8": b'{"name": "\xff\xfe"}',
    "utf-16": '{"name": "x"}'.encode("utf-16"),
    "lone surrogate": b'{"name": "\\ud800", "scenarioId": "\\ud800"}',
    "nul": b'{"name": "\\u0000", "resourceGroupId": "a\\u0000b"}',
    "null": b"null",
    "list": b"[]",
    "string": b'"text"',
    "number": b"1",
    "objects for strings": b'{"name": {}, "scenarioId": {}, "configurationId": {}, "resourceGroupId": {}}',
    "lists for strings": b'{"name": [], "scenarioId": [], "configurationId": [], "targetStatus": []}',
    "strings for lists": b'{"labels": "x", "deployments": "x", "parameterBindings": "x"}',
    "nulls in lists": b'{"labels": [null], "deployments": [null], "parameterBindings": [null]}',
    "a prototype": b'{"__proto__": {"x": 1}, "constructor": {}}',
}
IDS = (
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e",
    "%00%00%00%00",
    "abcd%00",
    "abcd%0a",
    "a'%20OR%201=1--",
    "x" * 65,
    "abc",
    "%F0%9F%98%80%F0%9F%98%80",
    "%ff%ff%ff%ff",
    "....",
    "%252e%252e",
    "abcd;x=1",
    "<script>",
)


@on_one_store  # all operations meet them on both: test_api_hostile_bodies_are_refused_everywhere.py
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize(("method", "path"), WRITES, ids=[" ".join(write) for write in WRITES])
def test_hostile_bodies(http: httpx.Client, method: str, path: str, body: bytes) -> None:
    answer = http.request(method, path, content=body, headers=JSON)
    error_of(answer, answer.status_code)
    assert answer.status_code in (400, 404)


@pytest.mark.parametrize("noun", ["scenarios", "configurations", "artifacts", "deployments"])
@pytest.mark.parametrize("hostile", IDS)
def test_hostile_ids(server: Server, http: httpx.Client, noun: str, hostile: str) -> None:
    url = httpx.URL(server.url).copy_with(raw_path=f"/v2/lm/{noun}/{hostile}".encode())
    answer = http.send(httpx.Request("GET", url, headers=http.headers))
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "query",
    [
        "$search=~",
        "$search=" + "x" * 81,
        "$search=%00",
        "$search=",
        "name=%00",
        "kind=virus",
        "artifactLabelSelector=nonsense",
        "artifactLabelSelector=a=b=c",
        "artifactLabelSelector=" + ",".join(["a=b"] * 11),
        "$top=1e3",
        "$top=",
        "$top=٣x",
        "$expand=everything",
        "searchCaseInsensitive=perhaps",
        "executionId=%00%00%00%00",
    ],
)
def test_hostile_queries(http: httpx.Client, query: str) -> None:
    error_of(http.get(f"/v2/lm/artifacts?{query}"), 400)


@pytest.mark.parametrize("search", ["%25", "_", "'", '"', "\\", "%27%3B--", "%F0%9F%98%80"])
def test_a_search_text_means_itself(http: httpx.Client, search: str) -> None:
    new_configuration(http, name="plain")
    assert http.get(f"/v2/lm/configurations?$search={search}").json() == {"count": 0, "resources": []}


@pytest.mark.parametrize("group", ["no-such-group", "", "../default", "a b", "x" * 300, "default,default", "*"])
def test_hostile_groups(server: Server, group: str) -> None:
    with server.http() as raw:
        headers = {"AI-Resource-Group": group}
        error = error_of(raw.get("/v2/lm/configurations", headers=headers), 400)
        assert "AI-Resource-Group" in error["message"]
        refused = raw.post("/v2/lm/configurations", headers=headers, json=_valid_configuration())
        assert refused.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"configurationId": "abcd", "targetStatus": "STOPPED"},
        {"targetStatus": "RUNNING"},
        {"targetStatus": "DELETED"},
        {"targetStatus": "stopped"},
    ],
)
def test_a_patch_of_neither_or_both_or_of_something_else(http: httpx.Client, body: dict[str, Any]) -> None:
    error_of(http.patch(f"/v2/lm/deployments/{new_deployment(http)}", json=body), 400)


@pytest.mark.parametrize(
    "items",
    [
        [],
        [{"id": "d000", "targetStatus": "RUNNING"}],
        [{"id": "d000", "targetStatus": "STOPPED"}] * 2,
        [{"id": f"d{number:03}", "targetStatus": "STOPPED"} for number in range(101)],
        [{"id": "../x", "targetStatus": "STOPPED"}],
    ],
)
def test_bulk_changes_have_limits(http: httpx.Client, items: list[Any]) -> None:
    error_of(http.patch("/v2/lm/deployments", json={"deployments": items}), 400)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "virus"},
        {"url": "no-url"},
        {"url": "S3://upper"},
        {"url": "ai://" + "x" * 1024},
        {"labels": [{"key": "other.prefix/x", "value": "v"}]},
        {"labels": [{"key": "ext.ai.sap.com/x", "value": "1"}, {"key": "ext.ai.sap.com/x", "value": "2"}]},
        {"scenarioId": "unknown"},
        {"description": "x" * 5001},
        {"name": "a`b"},
    ],
)
def test_artifacts_are_checked(http: httpx.Client, change: dict[str, Any]) -> None:
    valid = {"name": "a", "kind": "model", "url": "ai://default/x", "scenarioId": "mooring"}
    error_of(http.post("/v2/lm/artifacts", json={**valid, **change}), 400)
    assert http.get("/v2/lm/artifacts/$count").text == "0"


@pytest.mark.parametrize("name", ["ab", "-ab", "ab-", "a b c", "a/b/c", "x" * 254, "Ünïcode"])
def test_names_of_resource_groups_are_checked(http: httpx.Client, name: str) -> None:
    error_of(http.post("/v2/admin/resourceGroups", json={"resourceGroupId": name}), 400)


def test_a_long_answer_to_a_long_request(http: httpx.Client) -> None:
    bindings = [{"key": f"k{number}", "value": "\u20ac" * 5000} for number in range(1000)]
    body = {**_valid_configuration(), "parameterBindings": bindings}
    made = http.post("/v2/lm/configurations", content=json.dumps(body, ensure_ascii=False), headers=JSON)
    assert made.status_code == 201
    assert http.get(f"/v2/lm/configurations/{made.json()['id']}").json()["parameterBindings"] == bindings


def _valid_configuration() -> dict[str, Any]:
    return {
        "name": "n",
        "scenarioId": "mooring",
        "executableId": "model-server",
        "parameterBindings": [{"key": "modelUri", "value": MODEL_URI}],
    }
