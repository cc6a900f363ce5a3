"""Containers, which have a network of their own, reach the gateway by a unix socket, and are trusted no more for it."""

import stat
from typing import Any

import httpx
import pytest

from tests.gateway.test_gateway_headers_are_ours import _INFERENCE, _SPOOFED
from tests.gateway.world import World


def _ask(world: World, path: str, **more: Any) -> httpx.Response:
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(world.options.inside_socket)), timeout=30) as client:
        return client.get(f"http://127.0.0.1:{world.options.port}{path}", **more)


def test_the_same_routes_answer(shared: World) -> None:
    inside = _ask(shared, _INFERENCE, headers=shared.signer.headers())
    outside = shared.ask(_INFERENCE)
    assert inside.status_code == outside.status_code == 200
    assert {name for name, _ in inside.json()["headers"]} == {name for name, _ in outside.json()["headers"]} - {
        "x-forwarded-for",
        "x-envoy-external-address",
    }


@pytest.mark.parametrize("path", [_INFERENCE, "/v2/lm/deployments", "/v2/admin/secrets", "/models/iris/x"])
def test_nobody_gets_in_without_a_token(shared: World, path: str) -> None:
    assert _ask(shared, path).status_code == 401


def test_nobody_can_choose_where_he_comes_from(shared: World) -> None:
    seen = dict(_ask(shared, _INFERENCE, headers={**shared.signer.headers(), **_SPOOFED}).json()["headers"])
    assert not [value for value in seen.values() if "evil" in value or "6.6.6.6" in value]
    assert not {"x-forwarded-host", "forwarded", "x-envoy-internal", "x-envoy-max-retries"} & set(seen)


def test_it_is_alone_in_a_folder_that_is_ours(shared: World) -> None:
    socket = shared.options.inside_socket
    assert [path.name for path in socket.parent.iterdir()] == [socket.name]
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
