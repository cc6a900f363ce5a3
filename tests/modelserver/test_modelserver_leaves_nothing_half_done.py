"""An answer leaves whole, and what a request needed does not stay."""

import asyncio
import gc
import socket
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import orjson
import pytest

from mooring.modelserver.dataplane import DataPlane
from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.http import Message, Request
from mooring.modelserver.inference import Call, General
from mooring.modelserver.watch import Watch
from mooring.modelserver.worker import Worker
from tests.modelserver.conftest import wait_until

if TYPE_CHECKING:
    from mooring.modelserver.model import LoadedModel
    from tests.modelserver.conftest import Replica, Shelf

Start = Callable[..., "Replica"]
MEGABYTE = 1024 * 1024


@pytest.mark.slow
def test_head_and_body_leave_together(shelf: "Shelf", replica: Start) -> None:
    server = replica(shelf.moody).until_ready()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(server.socket))
        connection.setblocking(False)
        for _ in range(500):
            connection.send(b"GET /v2/models/m HTTP/1.1\r\nhost: m\r\n\r\n")
            head, _, body = _first_piece(connection).partition(b"\r\n\r\n")
            assert f"content-length: {len(body)}\r\n".encode() in head + b"\r\n"
            assert body


def _first_piece(connection: socket.socket) -> bytes:
    """What there is as soon as there is something: asked without a pause, to be there between two writes."""
    pieces: list[bytes] = []

    def read() -> bool:
        for _ in range(100_000):
            try:
                pieces.append(connection.recv(65536))
            except BlockingIOError:
                continue
            return True
        return False

    wait_until(read)
    return pieces[0]


@pytest.fixture
def no_collections() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collections")
def test_a_refused_request_is_not_kept_in_a_circle_of_references() -> None:
    class Body:
        """Stands for a hundred megabytes."""

    async def refused() -> "weakref.ref[Body]":
        worker = Worker(Watch(threads=1, stuck_seconds=60), threads=1, max_waiting=1)
        plane = DataPlane(cast("LoadedModel", None), worker)  # not reached: the body is refused before
        body = Body()

        def call(_: bytes, body: Body = body) -> Call:
            raise InvalidInput(f"refused {body is None}")

        with pytest.raises(InvalidInput):
            await plane.infer(General(call), b"", Request("r", [], _never), deadline_seconds=30)
        return weakref.ref(body)

    body = asyncio.run(refused())
    wait_until(lambda: body() is None)  # the thread lets go of it in a moment


async def _never() -> Message:
    raise AssertionError("the body is not read here")


@pytest.mark.slow
def test_memory_of_a_large_request_is_given_back(shelf: "Shelf", replica: Start) -> None:
    server = replica(shelf.moody).until_ready()
    orders = [{"order": f"x{number:06d}" * 90} for number in range(40_000)]
    assert server.http.post("/invocations", content=orjson.dumps({"inputs": orders}), headers=_JSON).status_code == 200
    before = _resident_bytes(server.process.pid)
    wait_until(lambda: _resident_bytes(server.process.pid) < before - 20 * MEGABYTE, lambda: f"{before} bytes before")


_JSON = {"content-type": "application/json"}


def _resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
