"""Calls of the control plane over its unix socket, timed."""

import http.client
import json
import multiprocessing
import multiprocessing.synchronize
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_READ_BYTES = 1 << 20
_TIMEOUT_SECONDS = 120


class _Connection(http.client.HTTPConnection):
    """To a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_TIMEOUT_SECONDS)
        self.sock.connect(str(self._path))


@dataclass(frozen=True)
class Caller:
    """A client of one resource group, with one connection at a time."""

    socket: Path
    headers: Mapping[str, str]

    def connection(self) -> http.client.HTTPConnection:
        return _Connection(self.socket)

    def call(self, connection: http.client.HTTPConnection, path: str, body: object = None) -> bytes:
        """The whole body of a good answer."""
        data = None if body is None else json.dumps(body)
        headers = {**self.headers, "Content-Type": "application/json"}
        connection.request("GET" if body is None else "POST", path, data, headers)
        answer = connection.getresponse()
        read = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{path}: {answer.status} {read[:300]!r}")
        return read

    def items(self, path: str) -> list[dict[str, Any]]:
        connection = self.connection()
        try:
            return list(json.loads(self.call(connection, path))["resources"])
        finally:
            connection.close()

    def milliseconds(self, path: Callable[[], str], *, times: int, body: object = None) -> list[float]:
        """How long each of so many calls took; `path` is asked for each. The first two do not count."""
        connection, taken = self.connection(), []
        try:
            for _ in range(times + 2):
                wanted, began = path(), time.perf_counter()
                self.call(connection, wanted, body)
                taken.append((time.perf_counter() - began) * 1000)
        finally:
            connection.close()
        return taken[2:]


@contextmanager
def repeated(caller: Caller, path: str, clients: int = 1) -> Iterator[None]:
    """Other processes call this again and again while the block runs, without looking at what they get."""
    ready = multiprocessing.get_context("fork").Semaphore(0)
    others = [multiprocessing.get_context("fork").Process(target=_repeat, args=(caller, path, ready), daemon=True)]
    others += [
        multiprocessing.get_context("fork").Process(target=_repeat, args=(caller, path, ready), daemon=True)
        for _ in range(clients - 1)
    ]
    for other in others:
        other.start()
    try:
        for _ in others:
            if not ready.acquire(timeout=_TIMEOUT_SECONDS):
                raise TimeoutError("nothing came")
        yield
    finally:
        for other in others:
            other.kill()
            other.join()


def _repeat(caller: Caller, path: str, ready: multiprocessing.synchronize.Semaphore) -> None:
    connection = caller.connection()
    while True:
        connection.request("GET", path, headers=dict(caller.headers))
        answer = connection.getresponse()
        ready.release()
        while answer.read(_READ_BYTES):
            pass
