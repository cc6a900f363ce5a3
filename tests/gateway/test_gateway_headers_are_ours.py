"""Nobody outside can set what only the gateway may say, and a model never sees its callers' tokens."""

import json
import uuid

import pytest

from tests.gateway.world import World, raw

_SPOOFED = {
    "x-mooring-tenant": "evil",
    "X-Mooring-Anything-Else": "evil",
    "x-envoy-original-path": "/evil",
    "x-envoy-retry-on": "5xx",
    "x-envoy-upstream-rq-timeout-ms": "1",
    "x-envoy-max-retries": "1000",
    "x-envoy-internal": "true",
    "x-envoy-external-address": "6.6.6.6",
    "X-Envoy-Attempt-Count": "666",
    "X-Mooring-Request-Id": "evil",
    "x-forwarded-for": "6.6.6.6",
    "x-forwarded-host": "evil.test",
    "x-forwarded-proto": "gopher",
    "x-forwarded-port": "666",
    "x-forwarded-prefix": "/evil",
    "forwarded": "for=6.6.6.6;host=evil.test",
}
_INFERENCE = "/v2/inference/deployments/ddefault/x"


def _seen(world: World, path: str, **headers: str) -> dict[str, str]:
    answer = world.ask(path, headers=headers)
    assert answer.status_code == 200
    return dict(answer.json()["headers"])


@pytest.mark.parametrize("path", [_INFERENCE, "/models/iris/x", "/v2/lm/x", "/readyz"])
def test_what_only_we_may_set_is_taken_away(shared: World, path: str) -> None:
    seen = _seen(shared, path, **_SPOOFED)
    assert not [value for value in seen.values() if "evil" in value or "6.6.6.6" in value]
    assert {name for name in seen if name.startswith("x-mooring-")} <= {"x-mooring-request-id"}
    assert seen["x-forwarded-proto"] == "http"
    assert not {"x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix", "forwarded"} & set(seen)
    assert not {"x-envoy-retry-on", "x-envoy-internal", "x-envoy-max-retries"} & set(seen)


@pytest.mark.parametrize("path", [_INFERENCE, "/models/iris/x", "/models/iris/api/"])
def test_a_replica_learns_the_try_and_a_name_of_the_request_that_nobody_can_choose(shared: World, path: str) -> None:
    names = set()
    for _ in range(3):
        headers = shared.ask(path, headers={**_SPOOFED, "X-Request-ID": "mine"}).json()["headers"]
        (attempt,) = (value for name, value in headers if name == "x-envoy-attempt-count")
        (request,) = (value for name, value in headers if name == "x-mooring-request-id")
        assert attempt == "1"
        names.add(uuid.UUID(request))
    assert len(names) == 3, "one per request, whatever the caller calls it"


def test_the_real_origin_is_told(shared: World) -> None:
    seen = _seen(shared, _INFERENCE, **_SPOOFED)
    assert seen["x-envoy-external-address"] == "127.0.0.1"
    assert seen["x-envoy-original-path"] == _INFERENCE
    assert "," not in seen["x-forwarded-for"]


@pytest.mark.parametrize("path", [_INFERENCE, "/models/iris/x", "/models/iris/api/"])
def test_a_replica_does_not_see_tokens(shared: World, path: str) -> None:
    assert "authorization" not in _seen(shared, path)


def test_the_control_plane_sees_tokens(shared: World) -> None:
    assert _seen(shared, "/v2/lm/x")["authorization"].startswith("Bearer ")


def test_other_headers_arrive(shared: World) -> None:
    seen = _seen(shared, _INFERENCE, **{"X-Custom": "a, b", "AI-Client-Type": "test", "Cookie": "c=d"})
    assert (seen["x-custom"], seen["ai-client-type"], seen["cookie"]) == ("a, b", "test", "c=d")


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", _INFERENCE, "/v2/lm/x", "/models/iris", "/models/empty/x"])
def test_every_answer_has_a_request_id(shared: World, path: str) -> None:
    assert uuid.UUID(shared.ask(path).headers["x-request-id"])


@pytest.mark.parametrize("given", ["abc", "6f1ed002-ab5a-4f5e-a9c1-0242ac120002", "trace-1.2_3", "a" * 128])
def test_the_callers_own_request_id_is_kept(shared: World, given: str) -> None:
    answer = shared.ask(_INFERENCE, headers={"X-Request-ID": given})
    assert answer.headers.get_list("x-request-id") == [given]
    assert dict(answer.json()["headers"])["x-request-id"] == given


def test_a_boundless_request_id_is_cut(shared: World) -> None:
    answer = shared.ask(_INFERENCE, headers={"X-Request-ID": "a" * 5000})
    assert answer.headers["x-request-id"] == "a" * 128


def test_nothing_of_envoy_reaches_the_caller(shared: World) -> None:
    for path in (_INFERENCE, "/v2/lm/x", "/nowhere", "/healthz"):
        headers = shared.ask(path).headers
        assert not [name for name in headers if name.startswith("x-envoy")]
        assert headers["server"] == "mooring"


def test_connection_cannot_name_the_token_away(shared: World) -> None:
    token = shared.signer.token()
    head = (
        f"GET /v2/lm/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close, authorization\r\n\r\n"
    )
    answer = raw(shared.options.port, head.encode())
    status, body = answer.split()[1], answer.partition(b"\r\n\r\n")[2]
    assert status in {b"400", b"401"} or "authorization" in dict(json.loads(body)["headers"])


@pytest.mark.parametrize("name", ["ai_resource_group", "x_mooring_tenant", "Content_Length"])
def test_names_with_underscores_are_refused(shared: World, name: str) -> None:
    assert shared.ask(_INFERENCE, headers={name: "1"}).status_code == 400
