"""Whatever bodies are sent, by whom, and how slowly: others are served, and Envoy holds little."""

import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from mooring.gateway.routes import DeploymentRoute, ModelRoute, Routes
from tests.gateway.flood import Flood
from tests.gateway.world import World, wait_until
from tests.prober import Prober

_MIB = 1024 * 1024
_MOST_RESIDENT = 500 * _MIB
_CHUNKED = "Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n"


@pytest.fixture
def big(new_world: Callable[..., World]) -> World:
    """A gateway that lets 100 MiB in; `steady` is probed, `other` (model `iris`) is attacked."""
    world = new_world(max_request_bytes=100 * _MIB)
    steady, other = world.upstreams.start("steady"), world.upstreams.start("other")
    deployments = (DeploymentRoute("steady", "default", (steady,)), DeploymentRoute("other", "default", (other,)))
    world.gateway.apply(Routes(deployments, (ModelRoute("iris", "other"),)))
    return world


def _head(world: World, path: str, rest: str, *, token: bool = True, method: str = "POST") -> bytes:
    authorization = f"Authorization: Bearer {world.signer.token()}\r\n" if token else ""
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{authorization}{rest}".encode()


def _length(announced: int) -> str:
    return f"Content-Length: {announced}\r\n\r\n"


def _resident_bytes(world: World) -> int:
    status = Path(f"/proc/{world.gateway.ensure_running().pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


@contextmanager
def _nobody_else_suffers(world: World) -> Iterator[None]:
    with Prober(
        world.inference("steady", "x"), headers=world.signer.headers(), clients=2, new_connections=True
    ) as prober:
        prober.wait_for(20)
        calm = prober.slowest_seconds
        yield
        prober.wait_for(100)
    assert not prober.failures, str(prober)
    assert prober.slowest_seconds < max(5, 20 * calm)  # the machine may be busy with other things
    assert _resident_bytes(world) < _MOST_RESIDENT


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "path", "rest"),
    [
        ("POST", "/webhooks/mlflow", _length(65_536)),
        ("POST", "/oauth/token", _length(8192)),
        ("POST", "/webhooks/mlflow", _length(_MIB)),
        ("POST", "/webhooks/mlflow", _CHUNKED),
        ("PATCH", "/tracking/e0~default~mac/api/v1/metrics", _length(_MIB)),
        ("PATCH", "/tracking/e0~default~mac/api/v1/metrics", _CHUNKED),
        ("GET", "/models/iris/api/", _CHUNKED),
    ],
)
def test_a_thousand_slow_bodies_without_a_token(big: World, method: str, path: str, rest: str) -> None:
    head = _head(big, path, rest, token=False, method=method)
    length = {_length(65_536): 65_536, _length(8192): 8192}.get(rest, _MIB) - 10
    with _nobody_else_suffers(big), Flood(big.options.port, head, length, 1150) as flood:
        wait_until(lambda: flood.is_settled)
        assert big.ask("/oauth/token", method="POST", token=False, content=b"x").status_code == 200
        assert big.ask("/v2/lm/x").status_code == 200
    assert flood.statuses <= {b"408", b"411", b"413", b"503"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "rest", "length", "connections"),
    [
        ("/v2/lm/configurations", _length(95 * _MIB), 95 * _MIB - 10, 20),
        ("/v2/lm/configurations", _CHUNKED, 20 * _MIB, 20),
        ("/v2/lm/dataset/files/default/x", _length(95 * _MIB), 20 * _MIB, 20),
        ("/models/iris/x", _length(95 * _MIB), 20 * _MIB, 20),
        ("/models/iris/x", _length(15 * _MIB), 15 * _MIB - 10, 40),
        ("/models/iris/x", _length(_MIB), _MIB - 10, 600),
        ("/models/iris/x", _length(200_000), 200_000 - 10, 1000),
    ],
)
def test_large_bodies_with_a_token(big: World, path: str, rest: str, length: int, connections: int) -> None:
    with _nobody_else_suffers(big):
        with Flood(big.options.port, _head(big, path, rest), length, connections) as flood:
            wait_until(lambda: flood.is_settled)
        assert big.ask("/v2/lm/x").status_code == 200


@pytest.mark.slow
def test_large_bodies_that_a_replica_does_not_read(big: World) -> None:
    path = big.options.sockets / "deaf.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as deaf:
        deaf.bind(str(path))
        deaf.listen(1024)
        steady = DeploymentRoute("steady", "default", (big.options.sockets / "steady.sock",))
        big.gateway.apply(Routes((steady, DeploymentRoute("deaf", "default", (path,)))))
        head = _head(big, "/v2/inference/deployments/deaf/x", _length(15 * _MIB))
        with _nobody_else_suffers(big), Flood(big.options.port, head, 15 * _MIB - 10, 80) as flood:
            wait_until(lambda: flood.sent > 80 * _MIB)


@pytest.mark.slow
def test_a_slow_body_without_a_token_is_cut_off_however_often_a_byte_of_it_comes(big: World) -> None:
    with socket.create_connection(("127.0.0.1", big.options.port), timeout=0.1) as slow:
        slow.sendall(_head(big, "/webhooks/mlflow", _length(1000), token=False))
        begun, answer = time.monotonic(), b""
        while not answer and time.monotonic() - begun < 15:
            slow.sendall(b"x")
            with suppress(TimeoutError):
                answer = slow.recv(65536)
    assert answer.split()[1] == b"408"


@pytest.mark.parametrize("path", ["/readyz", "/docs", "/docs/static/x", "/models/iris/api/"])
def test_who_may_only_read_sends_nothing(shared: World, path: str) -> None:
    assert shared.ask(path, token=False, content=b"xx").status_code == 413


def test_a_body_for_the_control_plane_is_refused_by_its_announced_length(big: World) -> None:
    answer = big.ask("/v2/lm/x", method="POST", content=b"x" * (8 * _MIB + 1))
    assert answer.status_code == 413
    assert str(8 * _MIB) in answer.json()["error"]["message"]
    assert big.ask("/models/iris/x", method="POST", content=b"x" * (8 * _MIB + 1)).status_code == 200


def test_a_file_of_a_dataset_may_be_larger_but_not_for_who_has_no_token(big: World) -> None:
    path, large = "/v2/lm/dataset/files/default/x", b"x" * (100 * _MIB)
    answer = big.ask(path, method="PUT", content=large)
    assert (answer.status_code, answer.json()["length"]) == (200, len(large))
    refused = big.ask(path, method="PUT", content=large + b"x")
    assert (refused.status_code, str(len(large)) in refused.json()["error"]["message"]) == (413, True)
    assert big.ask(path, method="PUT", content=large, token=False).status_code == 401
    assert big.ask("/v2/lm/dataset/filesx", method="PUT", content=large).status_code == 413
    assert _resident_bytes(big) < _MOST_RESIDENT


def test_calls_without_a_token_have_a_limit_of_their_own(big: World) -> None:
    """While the control plane is busy, 64 of them may be with it and 64 wait; the others hear so at once."""
    big.upstreams.signal("control-plane", signal.SIGSTOP)
    head = _head(big, "/webhooks/mlflow", _length(0), token=False)
    with Flood(big.options.port, head, 0, 300) as flood:
        wait_until(lambda: flood.answered >= 300 - 128)
        assert flood.statuses == {b"503"}
        big.upstreams.signal("control-plane", signal.SIGCONT)
        wait_until(lambda: flood.answered == 300)
    assert flood.statuses == {b"200", b"503"}
    assert big.ask("/v2/lm/x").status_code == 200


def test_pages_of_a_model_without_a_token_have_a_limit_of_their_own(big: World) -> None:
    big.upstreams.signal("other", signal.SIGSTOP)
    head = _head(big, "/models/iris/api/", "\r\n", token=False, method="GET")
    with Flood(big.options.port, head, 0, 300) as flood:
        wait_until(lambda: flood.answered >= 300 - 128)
        with Flood(big.options.port, _head(big, "/models/iris/x", "\r\n", method="GET"), 0, 200) as users:
            wait_until(lambda: big.gateway.statistics()["other"].active >= 264)
            big.upstreams.signal("other", signal.SIGCONT)
            wait_until(lambda: users.answered == 200)
        assert users.statuses == {b"200"}
