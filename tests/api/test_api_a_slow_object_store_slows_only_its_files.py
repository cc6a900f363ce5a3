"""A group's object store that accepts calls and never answers keeps nobody from the rest of the API, nor from files."""

import socket
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from mooring.api.file_threads import OF_A_GROUP
from tests.api.api_server import Server

MANY = 60
"""More than the framework has threads."""
METHODS = ("GET", "DELETE", "PUT")


class Trap:
    """Takes calls and answers none of them, until it is let go: then it refuses all."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.full = threading.Event()
        self.let_go = threading.Event()
        self._held = 0
        threading.Thread(target=self._take, daemon=True).start()

    def close(self) -> None:
        self.let_go.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _take(self) -> None:
        while True:
            try:
                call = self._listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._hold, args=(call,), daemon=True).start()
            self._held += 1
            if self._held >= OF_A_GROUP:
                self.full.set()

    def _hold(self, call: socket.socket) -> None:
        with call:
            call.recv(65_536)
            self.let_go.wait(60)
            call.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@pytest.fixture
def trap() -> Iterator[Trap]:
    made = Trap()
    yield made
    made.close()


def test_everybody_else_goes_on(server: Server, http: httpx.Client, trap: Trap) -> None:
    body = {
        "name": "trap",
        "type": "S3",
        "bucket": "b",
        "usehttps": "0",
        "endpoint": trap.address,
        "data": {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"},
    }
    http.post("/v2/admin/objectStoreSecrets", json=body).raise_for_status()
    other = f"test-{uuid.uuid4().hex[:12]}"
    http.post("/v2/admin/resourceGroups", json={"resourceGroupId": other}).raise_for_status()
    with ThreadPoolExecutor(MANY) as callers, server.http(other) as neighbour:
        trapped = "/v2/lm/dataset/files/trap/x"
        asked = [callers.submit(http.request, METHODS[number % 3], trapped) for number in range(MANY)]
        assert trap.full.wait(20)
        for path in ("/v2/lm/scenarios", "/v2/lm/deployments", "/readyz"):
            assert neighbour.get(path, timeout=10).status_code == 200
        assert neighbour.put("/v2/lm/dataset/files/default/x", content=b"1", timeout=10).status_code == 201
        assert not any(each.done() for each in asked)
        trap.let_go.set()
        assert {each.result().status_code for each in asked} == {503}
