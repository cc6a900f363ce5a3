"""An object store secret cannot make us call what only this machine can reach, whichever way it is tried."""

import base64
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mooring.artifacts.object_stores.remote_files import RemoteFiles
from mooring.domain.object_stores import StoreAccess, StoreType
from mooring.errors import InvalidRequest, Unavailable
from mooring.network.guard import Guard
from mooring.network.reach import OutOfReach, Reach

CONTENT = b"what the store has"


@dataclass
class Store:
    """An S3 server of somebody who means no good: `redirect` is where it sends its callers."""

    port: int = 0
    redirect: str | None = None
    asked: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def store() -> Iterator[Store]:
    state = Store()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
            self.send_response(302 if state.redirect else 200)
            if state.redirect:
                self.send_header("Location", state.redirect)
            self.send_header("Content-Length", str(0 if state.redirect else len(CONTENT)))
            self.send_header("ETag", '"1"')
            self.send_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
            self.end_headers()
            self.wfile.write(b"" if state.redirect else CONTENT)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield state
        server.shutdown()


@pytest.fixture
def guard() -> Iterator[Guard]:
    started = Guard(Reach(["store.test"]))
    yield started
    started.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Addresses of names, as a DNS of the test's own has them."""
    known: dict[str, str] = {"store.test": "127.0.0.1"}
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *more: object, **options: object) -> object:
        return real(known.get(host, host), *more, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


def _access(endpoint: str, **more: str) -> StoreAccess:
    properties = {"bucket": "wine", "endpoint": endpoint, "usehttps": "0", **more}
    return StoreAccess(StoreType.S3, properties, {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"})


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3", "localhost", "2130706433", "0x7f.1", "169.254.169.254",
        "100.100.100.200", "168.63.129.16", "224.0.0.1", "[::1]", "[::]", "[fe80::1]", "[::ffff:127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[fd00:ec2::254]", "[::127.0.0.1]",
    ],
)  # fmt: skip
def test_addresses_of_this_machine_alone_are_refused(host: str, guard: Guard, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="object_store_hosts"):
        RemoteFiles(_access(f"{host}:9000"), tmp_path, guard)


@pytest.mark.parametrize("host", ["10.0.0.7", "192.168.1.9", "172.16.0.1", "100.64.0.1", "8.8.8.8", "fd12:3456::7"])
def test_addresses_of_the_network_are_not(host: str) -> None:
    assert Reach().addresses(host, 9000) == [host]


def test_listed_hosts_may_be_anywhere(store: Store, names: dict[str, str], guard: Guard, tmp_path: Path) -> None:
    assert names["store.test"] == "127.0.0.1"
    content = RemoteFiles(_access(f"Store.test:{store.port}"), tmp_path, guard).read("x")
    assert b"".join(content.pieces()) == CONTENT
    assert store.asked[0]["host"] == f"store.test:{store.port}"


def test_a_redirect_leads_nowhere_else(store: Store, names: dict[str, str], guard: Guard, tmp_path: Path) -> None:
    names["metadata.test"] = "127.0.0.1"
    store.redirect = f"http://metadata.test:{store.port}/secret"
    with pytest.raises(Unavailable):
        RemoteFiles(_access(f"store.test:{store.port}"), tmp_path, guard).read("x")
    assert [each["path"] for each in store.asked] == ["/wine/x"]


@pytest.mark.parametrize("first_line", ["CONNECT {}", "GET http://{}/secret"], ids=["https", "http"])
def test_each_connection_is_checked(
    store: Store, names: dict[str, str], guard: Guard, caplog: pytest.LogCaptureFixture, first_line: str
) -> None:
    names["metadata.test"] = "127.0.0.1"
    for host, status in (("metadata.test", 400), ("store.test", 200)):
        answer = _say(guard, first_line.format(f"{host}:{store.port}"), _proof(guard))
        assert answer.startswith(f"HTTP/1.1 {status} ".encode()) or answer.startswith(b"HTTP/1.0 200 ")
    assert "metadata.test is this machine" in caplog.text


def test_a_name_that_gets_another_address_leads_nowhere_else(
    store: Store, names: dict[str, str], guard: Guard, tmp_path: Path
) -> None:
    names["rebound.test"] = "10.255.255.1"
    files = RemoteFiles(_access(f"rebound.test:{store.port}"), tmp_path, guard)
    names["rebound.test"] = "127.0.0.1"
    with pytest.raises(Unavailable):
        files.read("x")
    assert store.asked == []


def test_a_region_is_no_host(guard: Guard, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest):
        RemoteFiles(_access("", region="x@127.0.0.1:9/"), tmp_path, guard)


def test_the_operators_environment_is_not_the_tenants(
    store: Store, names: dict[str, str], guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert names
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_SESSION_TOKEN": "the-operators",
        "AWS_SKIP_SIGNATURE": "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
    }.items():
        monkeypatch.setenv(name, value)
    RemoteFiles(_access(f"store.test:{store.port}"), tmp_path, guard).read("x").close()
    (asked,) = store.asked
    assert (asked["path"], "x-amz-security-token" in asked) == ("/wine/x", False)
    assert "Credential=key/" in asked["authorization"]
    assert not any(name.startswith("proxy-") for name in asked)


def test_nobody_else_uses_the_way_out(store: Store, names: dict[str, str], guard: Guard) -> None:
    assert names
    for proof in ("", "Basic bW9vcmluZzo=", "Basic", "Bearer x"):
        assert _say(guard, f"GET http://store.test:{store.port}/", proof).startswith(b"HTTP/1.1 400 ")
    assert store.asked == []


@pytest.mark.parametrize("odd", ["GET / ", "CONNECT :80", "GET http://a@b/ ", "CONNECT [::1", "GET ftp://x/"])
def test_what_is_no_request_to_a_store_is_refused(guard: Guard, odd: str) -> None:
    assert _say(guard, odd, _proof(guard)).startswith(b"HTTP/1.1 400 ")


def _proof(guard: Guard) -> str:
    return "Basic " + base64.b64encode(str(urlsplit(guard.proxy_url()).netloc.rpartition("@")[0]).encode()).decode()


def _say(guard: Guard, first_line: str, proof: str) -> bytes:
    way = urlsplit(guard.proxy_url())
    with socket.create_connection((way.hostname, way.port), timeout=5) as caller:
        caller.sendall(f"{first_line} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: {proof}\r\n\r\n".encode())
        return caller.recv(100)


def test_a_check_is_no_exception_for_the_first_good_address(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 80)) for each in ("10.0.0.1", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: found)
    with pytest.raises(OutOfReach):
        Reach().addresses("two.test", 80)
