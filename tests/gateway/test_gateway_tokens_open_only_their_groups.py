"""What a token may use is written in the token, and a token that was taken back opens nothing."""

import time
from collections.abc import Callable

import httpx
import pytest

from mooring.gateway.routes import DeploymentRoute, ModelRoute, Revocation, Routes
from tests.gateway.world import World, raw

INFERENCE = "/v2/inference/deployments/"


def _ask(world: World, path: str, group: str | None = None, **claims: object) -> httpx.Response:
    headers = {"Authorization": f"Bearer {world.signer.token(**claims)}"}
    if group is not None:
        headers["AI-Resource-Group"] = group
    return world.ask(path, token=False, headers=headers)


def _words(answer: httpx.Response) -> dict[str, object]:
    """Everything about an answer that does not name the request itself."""
    error = answer.json()["error"]
    named = {"date", "x-request-id", "content-length"}
    headers = {name: value for name, value in answer.headers.items() if name not in named}
    return {"status": answer.status_code, "code": error["code"], "message": error["message"], **headers}


@pytest.mark.parametrize(
    ("groups", "status"),
    [
        (["*"], 200),
        (["team-a"], 200),
        (["default", "team-a"], 200),
        (["default"], 404),
        (["team"], 404),
        (["team-a2", "TEAM-A", "te*", "**", ""], 404),
        ([], 404),
        ([["team-a"]], 404),
        ([{"team-a": "team-a"}], 404),
        ("team-a", 404),
        ("*", 404),
        (None, 404),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("path", "group"),
    [(f"{INFERENCE}dteam", "team-a"), (f"{INFERENCE}dteam/v2/predict/", "team-a"), ("/models/iris/invocations", None)],
)
def test_the_groups_of_the_token_decide(
    shared: World, path: str, group: str | None, groups: object, status: int
) -> None:
    assert _ask(shared, path, group, groups=groups).status_code == status


@pytest.mark.parametrize(
    ("there", "never_was", "group"),
    [(f"{INFERENCE}dteam/x", f"{INFERENCE}dnever/x", "team-a"), ("/models/iris/x", "/models/never/x", None)],
)
def test_what_is_another_groups_is_answered_like_what_never_was(
    shared: World, there: str, never_was: str, group: str | None
) -> None:
    others, nothing = (_ask(shared, path, group, groups=["default"]) for path in (there, never_was))
    assert others.status_code == 404
    assert _words(others) == _words(nothing)
    assert others.json()["error"]["target"] == there
    assert others.json()["error"]["requestId"] == others.headers["x-request-id"]


def test_the_header_does_not_open_what_the_token_does_not(shared: World) -> None:
    for group in ("default", "team-a", "*", None):
        assert _ask(shared, f"{INFERENCE}dteam/x", group, groups=["default"]).status_code == 404
    assert _ask(shared, f"{INFERENCE}ddefault/x", groups=["team-a"]).status_code == 404
    assert _ask(shared, f"{INFERENCE}ddefault/x", groups=["default"]).status_code == 200


def test_a_websocket_is_no_way_around_it(shared: World) -> None:
    def ask(path: str, **claims: object) -> bytes:
        lines = [f"GET {path} HTTP/1.1", "Host: x", "AI-Resource-Group: team-a", "Connection: Upgrade"]
        lines += ["Upgrade: websocket", f"Authorization: Bearer {shared.signer.token(**claims)}"]
        return raw(shared.options.port, "\r\n".join([*lines, "", ""]).encode())

    assert ask(f"{INFERENCE}dteam/x", groups=["team-a"]).startswith(b"HTTP/1.1 200")  # the replica knows no websockets
    assert ask(f"{INFERENCE}dteam/x", groups=["default"]).startswith(b"HTTP/1.1 404")


def test_pages_and_health_need_no_groups(shared: World) -> None:
    for path in ("/models/iris/api/", "/healthz", "/docs"):
        assert shared.ask(path, token=False).status_code == 200
        assert _ask(shared, path, groups=[]).status_code == 200


def test_a_token_that_was_taken_back_opens_nothing(new_world: Callable[..., World]) -> None:
    world = new_world()
    replica = world.upstreams.start("one")
    routes = Routes((DeploymentRoute("d", "default", (replica,)),), (ModelRoute("iris", "d"),))
    now = int(time.time())
    revoked = (Revocation("gone"), Revocation("rotated", now), Revocation('odd "name" \\ ä|!b1', now))
    world.gateway.apply(Routes(routes.deployments, routes.models, revoked))
    paths = (f"{INFERENCE}d/x", "/models/iris/x", "/models/iris", "/v2/lm/deployments", "/nowhere")
    for client in ("gone", "rotated", 'odd "name" \\ ä|!b1'):
        for path in paths:
            refused = _ask(world, path, client_id=client, iat=now - 1)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            assert refused.json()["error"]["code"] == "01000401"
            assert "revoked" in refused.json()["error"]["message"]
        assert world.ask("/healthz", token=False).status_code == 200
    assert _ask(world, paths[0], client_id="gone", iat=now).status_code == 401
    assert _ask(world, paths[0], client_id="rotated", iat=now).status_code == 200
    assert _ask(world, paths[0], client_id="somebody else", iat=now - 1).status_code == 200
    world.gateway.apply(routes)
    assert _ask(world, paths[0], client_id="gone", iat=now).status_code == 200
