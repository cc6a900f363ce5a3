"""No operation that takes a JSON body trips over one: the answer is a 4xx in our envelope, and repeats nothing."""

from collections.abc import Iterator

import httpx
import pytest

from tests.api import known_objects
from tests.api.api_server import Server
from tests.api.known_objects import KnownObjects
from tests.api.test_api_hostile_input_is_refused import BODIES

JSON_TYPES = ("application/json", "application/merge-patch+json")


@pytest.fixture
def known(server: Server, http: httpx.Client, group: str) -> KnownObjects:
    return known_objects.make(server, http, group)


def _writes(http: httpx.Client) -> Iterator[tuple[str, str]]:
    for path, operations in http.get("/openapi.json").json()["paths"].items():
        for method, operation in operations.items():
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                yield method, path


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_hostile_bodies(http: httpx.Client, known: KnownObjects, body: bytes) -> None:
    seen = 0
    for method, path in _writes(http):
        target = path.format(**{"permission": "x", **known.ids})
        answer = http.request(method, target, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 404), (method, path, answer.text)
        error = answer.json()["error"]
        assert error["requestId"] == answer.headers["x-request-id"]
        assert error["message"]
        assert len(answer.content) < 20_000
        seen += 1
    assert seen > 20


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "nonsense"]
)
def test_other_content_types_are_refused_with_words(http: httpx.Client, known: KnownObjects, content_type: str) -> None:
    for method, path in _writes(http):
        target = path.format(**{"permission": "x", **known.ids})
        answer = http.request(method, target, content=b"{}", headers={"Content-Type": content_type})
        assert answer.status_code in (400, 404), (method, path, answer.text)
        if answer.status_code == 400:
            assert "application/json" in answer.json()["error"]["message"], (method, path)


def test_what_is_refused_is_not_repeated(http: httpx.Client, known: KnownObjects) -> None:
    hostile = '{"%s": {"kept-secret": ["kept-secret"]}}'
    for method, path in _writes(http):
        for field in ("data", "password", "labels", "name", "metrics"):
            target = path.format(**{"permission": "x", **known.ids})
            answer = http.request(method, target, content=hostile % field, headers={"Content-Type": JSON_TYPES[0]})
            if answer.status_code >= 400:
                assert "kept-secret" not in answer.text.replace("data.kept-secret", ""), (method, path, field)


def test_the_last_of_two_equal_keys_counts(http: httpx.Client) -> None:
    body = b'{"name": "first", "name": "last", "scenarioId": "mooring", "executableId": "model-server"}'
    for content_type in JSON_TYPES:
        made = http.post("/v2/lm/configurations", content=body, headers={"Content-Type": content_type})
        assert http.get(made.headers["location"]).json()["name"] == "last"
