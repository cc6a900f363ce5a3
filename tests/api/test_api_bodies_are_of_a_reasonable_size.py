"""No body holds the control plane up: most are short, and none consists of very many small things."""

import json
import time
from collections.abc import Sequence

import httpx
import pytest
from starlette.exceptions import HTTPException

from mooring.api.body_limit import MOST_VALUES
from mooring.api.json_size import JsonSize
from tests.api.api_server import Server, new_configuration

MIB = 1_048_576
JSON = {"Content-Type": "application/json"}
LARGE = [("POST", "/v2/lm/configurations"), ("POST", "/v2/lm/artifacts"), ("PATCH", "/v2/lm/metrics")]
ORDINARY = [
    ("POST", "/v2/lm/deployments"),
    ("PATCH", "/v2/lm/deployments"),
    ("POST", "/v2/lm/executions"),
    ("POST", "/v2/lm/executionSchedules"),
    ("POST", "/v2/admin/secrets"),
    ("POST", "/v2/admin/resourceGroups"),
]


def _refusal(answer: httpx.Response) -> str:
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (413, "02000005"), answer.text
    assert error["requestId"] == answer.headers["x-request-id"]
    message: str = error["message"]
    return message


@pytest.mark.parametrize(("method", "path"), ORDINARY)
def test_an_ordinary_body_has_at_most_one_mib(http: httpx.Client, method: str, path: str) -> None:
    allowed = http.request(method, path, content=b" " * MIB, headers=JSON)
    assert 400 <= allowed.status_code < 413, allowed.text
    assert f"{MIB} bytes" in _refusal(http.request(method, path, content=b" " * (MIB + 1), headers=JSON))
    unannounced = http.request(method, path, content=iter([b" " * MIB, b" "]), headers=JSON)
    assert f"{MIB} bytes" in _refusal(unannounced)


@pytest.mark.parametrize(("method", "path"), LARGE)
def test_some_bodies_may_be_large(http: httpx.Client, method: str, path: str) -> None:
    answer = http.request(method, path, content=b" " * 4 * MIB, headers=JSON)
    assert answer.status_code == 400


@pytest.mark.parametrize(("method", "path"), LARGE)
@pytest.mark.parametrize("item", [b"[]", b"{}", b"1", b'"a"', b'{"a":1}'])
def test_very_many_values_are_refused_at_once(http: httpx.Client, method: str, path: str, item: bytes) -> None:
    body = b'{"labels":[' + b",".join([item] * (6 * MIB // (len(item) + 1))) + b"]}"
    started = time.process_time()
    assert str(MOST_VALUES) in _refusal(http.request(method, path, content=body, headers=JSON))
    assert time.process_time() - started < 0.8  # of server and client together; reading all of it takes two seconds


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32-be"])
def test_values_in_another_encoding_do_not_hide(http: httpx.Client, encoding: str) -> None:
    body = ('["\\"", ' + ",".join(["[]"] * 300_000) + "]").encode(encoding)
    assert str(MOST_VALUES) in _refusal(http.patch("/v2/lm/metrics", content=body, headers=JSON))


def test_what_the_limits_of_the_reference_allow_is_taken(http: httpx.Client, server: Server) -> None:
    labels = [{"name": f"label {number}", "value": "a, [b], {c}"} for number in range(20)]
    metrics = [{"name": "m", "value": 1, "timestamp": None, "step": 1, "labels": labels}] * 1000
    tags = [{"name": f"tag {number}", "value": "v"} for number in range(100)]
    info = [{"name": "matrix", "value": json.dumps([[0, 1, "x"]] * 200_000)}]
    body = {"executionId": "notebook", "metrics": metrics, "tags": tags, "customInfo": info}
    assert http.patch("/v2/lm/metrics", json=body).status_code == 204
    assert http.get("/v2/lm/metrics?executionIds=notebook").json()["resources"][0]["customInfo"] == info
    assert new_configuration(http, name="[{," * 60)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", 0),
        ("1", 0),
        ("[]", 1),
        ('[1, 2, {"a": []}]', 5),
        ('["[,{", "\\"[", "\\\\", [], "\\\\\\",["]', 6),
        ('["ü,☸[", 1]', 2),
        ('"never ends [,[,', 0),
        ('"ends" [ "never ends \\" [,[,', 1),
    ],
)
@pytest.mark.parametrize("length", [1, 2, 3, 5, 1000])
def test_values_are_counted_outside_of_texts_only(text: str, values: int, length: int) -> None:
    content = text.encode()
    parts = [content[start : start + length] for start in range(0, len(content), length)]
    _count(parts, most=values)
    if values:
        with pytest.raises(HTTPException) as refusal:
            _count(parts, most=values - 1)
        assert refusal.value.status_code == 413


def _count(parts: Sequence[bytes], most: int) -> None:
    size = JsonSize(most)
    for part in parts:
        size.add(part)


@pytest.mark.parametrize("text", [b'\\"', b'""', b'"\\', b'"', b"\\", b'"a\\"'])
def test_counting_takes_no_longer_for_hostile_texts(text: bytes) -> None:
    size = JsonSize(MOST_VALUES)
    started = time.process_time()
    for _ in range(16):
        size.add(text * (65_536 // len(text)))
    assert time.process_time() - started < 1
