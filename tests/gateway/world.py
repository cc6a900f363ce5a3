"""What the gateway's tests are made of: tokens, upstreams, and a gateway between them."""

import json
import re
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from mooring import processes
from mooring.domain.endpoints import TcpAddress
from mooring.gateway.gateway import Gateway
from mooring.gateway.options import GatewayOptions
from mooring.processes import ProcessId

ISSUER, AUDIENCE = "http://mooring.test", "mooring-test"
_UPSTREAM = Path(__file__).with_name("upstream.py")


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], *, timeout_seconds: float = 20.0) -> None:
    """Wait for something to become true. Raises TimeoutError."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_seconds} s: {condition}")
        time.sleep(0.01)


class Signer:
    """Issues tokens, as the control plane would."""

    def __init__(self, key_id: str = "k1") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._key_id = key_id

    @property
    def key_set(self) -> bytes:
        public = jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return json.dumps({"keys": [{**public, "kid": self._key_id, "alg": "ES256", "use": "sig"}]}).encode()

    def token(self, **claims: object) -> str:
        now = int(time.time())
        usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": "somebody", "iat": now, "exp": now + 3600}
        client = {"client_id": "somebody", "role": "admin", "groups": ["*"]}
        chosen = {key: value for key, value in {**usual, **client, **claims}.items() if value is not None}
        return jwt.encode(chosen, self._key, algorithm="ES256", headers={"kid": self._key_id})

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token()}", **more}


@dataclass
class Upstreams:
    """Servers on unix sockets in one folder."""

    folder: Path
    started: dict[str, ProcessId] = field(default_factory=dict)

    def start(self, name: str, *, wait: bool = True) -> Path:
        path = self.folder / f"{name}.sock"
        argv = [sys.executable, str(_UPSTREAM), str(path), name]
        self.started[name] = processes.spawn_detached(argv, log=self.folder / f"{name}.log")
        if wait:
            self.wait_for(name)
        return path

    def start_on_port(self, name: str, *, keep_alive_seconds: int = 75) -> TcpAddress:
        """As a server in a container is reached."""
        port = free_port()
        argv = [sys.executable, str(_UPSTREAM), str(port), name, str(keep_alive_seconds)]
        self.started[name] = processes.spawn_detached(argv, log=self.folder / f"{name}.log")
        wait_until(lambda: accepts(port))
        return TcpAddress("127.0.0.1", port)

    def wait_for(self, name: str) -> None:
        wait_until(lambda: answers(self.folder / f"{name}.sock"))

    def signal(self, name: str, signum: int) -> None:
        processes.send(self.started[name], signum)

    def stop(self) -> None:
        for process in self.started.values():
            processes.stop(process, grace_seconds=0)


def answers(path: Path) -> bool:
    """Whether somebody answers HTTP on this unix socket."""
    try:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), timeout=5) as client:
            return client.get("http://upstream/").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def accepts(port: int) -> bool:
    """Whether somebody listens on this port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class World:
    """A gateway, its options, who signs its tokens, and its upstreams (`control-plane` runs already)."""

    gateway: Gateway
    options: GatewayOptions
    signer: Signer
    upstreams: Upstreams

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.options.port}"

    def inference(self, deployment_id: str, rest: str = "") -> str:
        return f"{self.url}/v2/inference/deployments/{deployment_id}/{rest}"

    def ask(self, path: str, *, method: str = "GET", token: bool = True, **more: Any) -> httpx.Response:
        headers = {**(self.signer.headers() if token else {}), **more.pop("headers", {})}
        return httpx.request(method, self.url + path, headers=headers, timeout=30, trust_env=False, **more)


def make_world(folder: Path, **changes: Any) -> World:
    """Everything but started."""
    sockets = folder / "s"
    sockets.mkdir()
    signer = Signer()
    usual: dict[str, Any] = {
        "directory": folder / "gateway",
        "log": folder / "gateway.log",
        "sockets": sockets,
        "host": "127.0.0.1",
        "port": free_port(),
        "control_plane": sockets / "control-plane.sock",
        "key_set": signer.key_set,
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "request_timeout_seconds": 30.0,
        "max_request_bytes": 4 * 1024 * 1024,
        "start_seconds": 20.0,
    }
    options = GatewayOptions(**{**usual, **changes})
    return World(Gateway(options), options, signer, Upstreams(sockets))


def raw(port: int, request: bytes, *, until_closed: bool = False, timeout_seconds: float = 10.0) -> bytes:
    """Send these bytes, return the first answer; with `until_closed` all that comes until the other side closes.

    What has come is returned as well when the other side says nothing for the timeout.
    """
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_seconds) as connection:
        connection.sendall(request)
        try:
            while part := connection.recv(65536):
                received += part
                if not until_closed and _is_whole(received):
                    return received
        except (TimeoutError, ConnectionResetError):
            return received
    return received


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    return bool(end) and length is not None and len(body) >= int(length.group(1))
