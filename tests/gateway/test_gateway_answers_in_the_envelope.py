"""What the gateway answers by itself has the form of the API; what replicas answer is not touched."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from mooring.gateway.routes import DeploymentRoute, Routes
from tests.gateway.world import World, raw, wait_until


def _error(answer: httpx.Response, status: int, code: str, target: str) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert error.keys() == {"code", "message", "requestId", "target", "details"}
    assert error["details"] == {"answeredBy": "gateway"}
    assert error["code"] == code
    assert error["target"] == target
    assert error["requestId"] == answer.headers["x-request-id"]
    message = error["message"]
    assert isinstance(message, str)
    return message


def test_unknown_deployment(shared: World) -> None:
    path = "/v2/inference/deployments/dunknown/v2/x"
    message = _error(shared.ask(path + "?a=b"), 404, "01000404", path)
    for said in ("does not exist", "not RUNNING", "GET /v2/lm/deployments/", "AI-Resource-Group"):
        assert said in message


def test_unknown_model(shared: World) -> None:
    _error(shared.ask("/models/unknown/invocations"), 404, "01000404", "/models/unknown/invocations")


def test_unknown_path(shared: World) -> None:
    assert "/docs" in _error(shared.ask("/nowhere"), 404, "01000404", "/nowhere")


def test_no_token(shared: World) -> None:
    assert "/oauth/token" in _error(shared.ask("/v2/lm/x", token=False), 401, "01000401", "/v2/lm/x")


@pytest.mark.parametrize("path", ["/v2/lm/metrics", "/v2/lm/metrics?executionIds=e1", "/v2/lm/dataset/files/a/b"])
def test_details_are_a_list_where_the_api_has_one(shared: World, path: str) -> None:
    error = shared.ask(path, token=False).json()["error"]
    assert error["details"] == [{"code": "01000401", "message": error["message"]}]
    assert error["target"] == path.split("?")[0]


@pytest.mark.parametrize("path", ["/v2/inference/deployments/dempty/x", "/models/empty/x"])
def test_no_replica(shared: World, path: str) -> None:
    answer = shared.ask(path)
    assert "RUNNING" in _error(answer, 503, "01000503", path)
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("path", ["/v2/lm/x", "/models/iris/x", "/nowhere"])
def test_an_announced_body_beyond_the_limit(shared: World, path: str) -> None:
    answer = shared.ask(path, method="POST", content=b"x" * (shared.options.max_request_bytes + 1))
    assert str(shared.options.max_request_bytes) in _error(answer, 413, "02000005", path)


def test_a_body_of_exactly_the_limit_passes(shared: World) -> None:
    body = b"x" * shared.options.max_request_bytes
    for path in ("/v2/lm/x", "/models/iris/x"):
        assert shared.ask(path, method="POST", content=body).json()["length"] == len(body)


def _pieces(total: int) -> Iterator[bytes]:
    for _ in range(total // 65536 + 1):
        yield b"x" * 65536


@pytest.mark.parametrize(("path", "limit"), [("/oauth/token", 8192), ("/webhooks/mlflow", 65_536)])
def test_who_has_no_token_may_send_little(shared: World, path: str, limit: int) -> None:
    assert shared.ask(path, method="POST", token=False, content=b"x" * limit).json()["length"] == limit
    announced = shared.ask(path, method="POST", token=False, content=b"x" * (limit + 1))
    assert str(limit) in _error(announced, 413, "02000005", path)


def test_who_has_no_token_does_not_send_more_than_he_says(shared: World) -> None:
    form = shared.ask("/oauth/token", method="POST", token=False, content=_pieces(100_000))
    _error(form, 413, "02000005", "/oauth/token")
    event = shared.ask("/webhooks/mlflow", method="POST", token=False, content=_pieces(100_000))
    assert "Content-Length" in _error(event, 411, "01000411", "/webhooks/mlflow")


@pytest.mark.parametrize("path", ["/models/iris/x", "/v2/lm/x"])
def test_a_body_of_unknown_length_arrives_piece_by_piece(shared: World, path: str) -> None:
    answer = shared.ask(path, method="POST", content=_pieces(100_000))
    assert answer.json()["length"] == 2 * 65536


def test_silence(shared: World) -> None:
    path = "/v2/inference/deployments/ddefault/silent/20"
    assert "3 s" in _error(shared.ask(path), 504, "01000504", path)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 418, 500, 502, 503, 504])
def test_errors_of_replicas_are_not_touched(shared: World, status: int) -> None:
    answer = shared.ask(f"/v2/inference/deployments/ddefault/status/{status}")
    assert answer.status_code == status
    assert answer.json()["name"] == "one"


@pytest.mark.parametrize(
    "path", ['/nowhere/"quoted"', "/nowhere/%22%0a%5c", "/nowhere/\u00e9", "/nowhere/</script>", "/nowhere/{}%25s"]
)
def test_odd_paths_give_valid_json(shared: World, path: str) -> None:
    head = (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shared.signer.token()}\r\nConnection: close\r\n\r\n"
    )
    head_of_answer, _, body = raw(shared.options.port, head.encode()).partition(b"\r\n\r\n")
    assert head_of_answer.split()[1] in {b"400", b"404"}
    if body:
        assert set(json.loads(body)["error"]) >= {"code", "message"}


def test_a_protocol_to_upgrade_to_that_is_not_offered(shared: World) -> None:
    answer = shared.ask("/models/iris/x", headers={"Connection": "Upgrade", "Upgrade": "other"})
    assert "upgrade_failed" in _error(answer, 401, "01000401", "/models/iris/x")


def test_no_control_plane(new_world: Callable[..., World]) -> None:
    world = new_world()
    one = world.upstreams.start("one")
    world.gateway.apply(Routes((DeploymentRoute("d1", "default", (one,)),)))
    world.upstreams.signal("control-plane", 9)
    wait_until(lambda: world.ask("/v2/lm/x").status_code == 503)
    answer = world.ask("/v2/lm/x")
    _error(answer, 503, "01000503", "/v2/lm/x")
    assert "retry-after" in answer.headers
    assert world.ask("/healthz", token=False).status_code == 200
    assert world.ask("/v2/inference/deployments/d1/x").status_code == 200
