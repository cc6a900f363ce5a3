"""Requests that are two, that never end, that are too much; and the protocols that must work all the same."""

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from mooring.gateway.routes import DeploymentRoute, Routes
from tests.gateway.world import World, raw
from tests.prober import Prober

_PATH = "/v2/inference/deployments/ddefault/x"


def _head(world: World, method: str = "POST", path: str = _PATH) -> str:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {world.signer.token()}\r\n"


_HIDDEN = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"


_AMBIGUOUS = [
    f"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{_HIDDEN}",
    f"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n{_HIDDEN}",
    f"Content-Length: 0\r\nContent-Length: {len(_HIDDEN)}\r\n\r\n{_HIDDEN}",
    f"Content-Length: 0, {len(_HIDDEN)}\r\n\r\n{_HIDDEN}",
    f"Content-Length: +0\r\n\r\n{_HIDDEN}",
    f"Content-Length: -1\r\n\r\n{_HIDDEN}",
    f"Content-Length: 0x0\r\n\r\n{_HIDDEN}",
    f"Content-Length: 99999999999999999999\r\n\r\n{_HIDDEN}",
    f"Content-Length : 0\r\n\r\n{_HIDDEN}",
    f"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{_HIDDEN}",
    f"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{_HIDDEN}",
    f"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{_HIDDEN}",
    f"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n{_HIDDEN}",
    f"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n{_HIDDEN}",
    f"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n{_HIDDEN}",
    f"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n{_HIDDEN}",
    f"X-A: b\x00c\r\n\r\n{_HIDDEN}",
    f"X A: b\r\n\r\n{_HIDDEN}",
]
_TIDIED_UP = [
    f"X-A: b\r\n Transfer-Encoding: chunked\r\n\r\n{_HIDDEN}",
    f"X-A: b\rTransfer-Encoding: chunked\r\n\r\n{_HIDDEN}",
    f"X-A: b\nContent-Length: 0\r\n\r\n{_HIDDEN}",
    f"Transfer-Encoding: chunked\r\n\r\n0;a=b\r\n\r\n{_HIDDEN}",
]


def _send(world: World, rest: str) -> bytes:
    request = (_head(world) + rest).encode("latin-1")
    return raw(world.options.port, request, until_closed=True, timeout_seconds=2)


def _answers_are_in_step(world: World) -> bool:
    """Whether the connections to the replica still give each request its own answer."""
    paths = [f"/v2/inference/deployments/ddefault/step/{number}" for number in range(5)]
    return [world.ask(path).json()["path"] for path in paths] == [f"/step/{number}" for number in range(5)]


@pytest.mark.parametrize("rest", _AMBIGUOUS)
def test_a_request_with_two_readings_is_refused(shared: World, rest: str) -> None:
    answer = _send(shared, rest)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 ")) or not answer
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert _answers_are_in_step(shared)


@pytest.mark.parametrize("rest", _TIDIED_UP)
def test_a_request_that_only_looks_odd_is_read_once(shared: World, rest: str) -> None:
    """What follows it on the connection is a request of its own, and has no token."""
    first, second = _send(shared, rest).split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"200 ")
    seen = json.loads(first.partition(b"\r\n\r\n")[2])
    assert (seen["path"], seen["length"]) == ("/x", 0)
    assert second.startswith(b"401 ")
    assert _answers_are_in_step(shared)


@pytest.mark.parametrize(
    ("head", "statuses"),
    [
        ("X-Long: " + "a" * 40_000 + "\r\n", {b"431"}),
        ("".join(f"X-{number}: a\r\n" for number in range(200)), {b"431"}),
    ],
)
def test_too_many_headers(shared: World, head: str, statuses: set[bytes]) -> None:
    answer = raw(shared.options.port, (_head(shared, "GET") + head + "\r\n").encode())
    assert answer.split()[1] in statuses
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "01000431"


@pytest.mark.slow
def test_slow_clients_do_not_delay_a_healthy_one(shared: World) -> None:
    with Prober(shared.inference("ddefault", "x"), headers=shared.signer.headers(), clients=2) as calm:
        calm.wait_for(50)
    with ExitStack() as stack:
        for number in range(200):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", shared.options.port), timeout=30))
            half = _head(shared)[:-10] if number % 2 else _head(shared) + "Content-Length: 1000\r\n\r\nx"
            slow.sendall(half.encode())
            last = slow
        with Prober(shared.inference("ddefault", "x"), headers=shared.signer.headers(), clients=2) as prober:
            prober.wait_for(200)
        assert not prober.failures, str(prober)
        assert prober.slowest_seconds < max(2, 20 * calm.slowest_seconds)
        begun = time.monotonic()
        answer = b"".join(iter(lambda: last.recv(65536), b""))
        assert answer.split()[1] == b"408"
        assert time.monotonic() - begun < 15


def test_http_2_from_clients(shared: World) -> None:
    program = shutil.which("curl")
    if program is None:
        pytest.skip("no curl to speak HTTP/2 with")
    answer = subprocess.run(
        [
            *(program, "-s", "--http2-prior-knowledge", "-w", "\n%{http_version} %{http_code}", "-d", "abc"),
            *("-H", f"Authorization: Bearer {shared.signer.token()}", shared.inference("ddefault", "x")),
        ],
        capture_output=True,
        timeout=30,
        check=True,
    ).stdout.decode()
    body, _, facts = answer.rpartition("\n")
    assert facts == "2 200"
    assert json.loads(body)["length"] == 3


@pytest.fixture
def upgrading(tmp_path_factory: pytest.TempPathFactory, new_world: Callable[..., World]) -> Iterator[World]:
    """A gateway with deployment `dws`, whose replica accepts one upgrade and then returns every byte."""
    world = new_world()
    path = Path(world.options.sockets / "upgrade.sock")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(30)
        serving = threading.Thread(target=_upgrade_and_echo, args=(listener,), daemon=True)
        serving.start()
        world.gateway.apply(Routes((DeploymentRoute("dws", "default", (path,)),)))
        yield world
        serving.join(timeout=30)


def _upgrade_and_echo(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(30)
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65536)
        assert b"upgrade: websocket" in request.lower()
        assert b"authorization" not in request.lower()
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        while part := connection.recv(65536):
            connection.sendall(part)


@pytest.mark.parametrize("path", ["/v2/lm/x", "/webhooks/mlflow", "/docs/static/x", "/models/iris/api/"])
def test_websockets_lead_to_replicas_only(shared: World, path: str) -> None:
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n\r\n"
    answer = raw(shared.options.port, (_head(shared, "GET", path) + upgrade).encode(), timeout_seconds=5)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"upgrade_failed" in answer


def test_websockets_pass_and_survive_a_swap(upgrading: World) -> None:
    world = upgrading
    with socket.create_connection(("127.0.0.1", world.options.port), timeout=30) as client:
        head = _head(world, "GET", "/v2/inference/deployments/dws/ws")
        client.sendall((head + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n").encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += client.recv(65536)
        assert answer.startswith(b"HTTP/1.1 101")
        for turn in range(3):
            client.sendall(b"ping %d" % turn)
            assert client.recv(65536) == b"ping %d" % turn
            world.gateway.apply(Routes((DeploymentRoute("dws", "default", ()),)))
