"""Whatever a stranger sends, or does not send, costs a bounded amount of memory and time, and only its sender."""

import asyncio
import gzip
import io
import json
import resource
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mooring.modelserver import listener
from mooring.modelserver.compression import unpacked
from mooring.modelserver.errors import InvalidInput, TooLarge, Unavailable
from mooring.modelserver.protocols import npy, parquet
from mooring.modelserver.room import Room
from tests.modelserver.conftest import InProcess, Replica, wait_until
from tests.modelserver.test_modelserver_answers_directly import Connection, request

if TYPE_CHECKING:
    from tests.modelserver.conftest import Shelf

MEGABYTE = 1024 * 1024
ORDER = json.dumps({"dataframe_records": [{"order": "anything"}]}).encode()
CHUNKED = (
    b"POST /invocations HTTP/1.1\r\nhost: m\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
)


@pytest.fixture(scope="module")
def server(shelf: "Shelf", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    bounds = ("--keep-alive-seconds", "1", "--max-request-bytes", "40000000", "--max-waiting-bytes", "1")
    replica = Replica(shelf.moody, tmp_path_factory.mktemp("bounds"), *bounds)
    yield replica.until_ready()
    replica.close()


@pytest.fixture
def connect(server: Replica) -> Iterator[Callable[[], Connection]]:
    connections: list[Connection] = []

    def connect() -> Connection:
        connections.append(Connection(server))
        return connections[-1]

    yield connect
    for connection in connections:
        connection.close()


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"GET /", b"a" * 1000),
        (b"GET / HTTP/1.1\r\nx: ", b"a" * 1000),
        (b"GET / HTTP/1.1\r\n", b"x: y\r\n" * 200),
        (CHUNKED + b"0\r\n", b"x: y\r\n" * 200),
        (CHUNKED + b"1;", b"x=" * 500),
    ],
    ids=["path", "header", "headers", "trailers", "chunk"],
)
def test_no_head_is_endless(begin: bytes, more: bytes, connect: Callable[[], Connection]) -> None:
    connection = connect().send(begin)
    try:
        assert connection.send_until_refused(more, most=4 * MEGABYTE) < 2 * MEGABYTE
    except (BrokenPipeError, ConnectionResetError):
        return  # refused, and closed
    assert connection.answer()[0] in (400, 431)


def test_a_body_in_the_smallest_chunks_is_taken(connect: Callable[[], Connection]) -> None:
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in ORDER + b" " * 50_000)
    assert connect().send(CHUNKED, pieces, b"0\r\n\r\n").answer()[0] == 200


def test_who_says_nothing_or_half_a_head_is_not_waited_for(connect: Callable[[], Connection]) -> None:
    silent, half = connect(), connect().send(b"GET /ping HTTP/1.1\r\nhost")
    assert half.answer()[0] == 408
    assert half.is_at_its_end()
    assert silent.is_at_its_end()


def test_who_takes_nothing_of_an_answer_is_cut_off(connect: Callable[[], Connection], server: Replica) -> None:
    large = json.dumps({"dataframe_records": [{"order": "x" * 20_000_000}]}).encode()
    for closing in ((), ("connection: close",)):
        before, connection = _open_files(server), connect()
        connection.send(request(large, *closing))
        wait_until(lambda at=before: _open_files(server) > at, server.stderr)  # type: ignore[misc]
        wait_until(lambda at=before: _open_files(server) <= at, server.stderr)  # type: ignore[misc]


def test_bodies_that_wait_have_a_bound_in_bytes(
    connect: Callable[[], Connection], server: Replica, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    held = json.dumps({"dataframe_records": [{"order": f"touch-and-wait {gate}"}]}).encode()
    first = connect().send(request(held.ljust(25_000_000)))
    wait_until(Path(f"{gate}.begun").exists, server.stderr)
    second = connect().send(request(ORDER.ljust(25_000_000)))
    status, headers, _ = second.answer()
    assert (status, headers["retry-after"]) == (503, "1")
    assert 'mooring_requests_dropped_total{reason="queue_full"} 1.0' in server.http.get("/metrics").text
    gate.touch()
    assert first.answer()[0] == 200
    assert second.send(request(ORDER.ljust(25_000_000))).answer()[0] == 200


def test_open_files_are_as_many_as_the_system_allows() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
    try:
        listener.allow_many()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 512
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_room_that_was_taken_comes_back() -> None:
    refused: list[str] = []
    room = Room(100, refused.append)
    room.take(60)
    with pytest.raises(Unavailable, match="60 bytes"):
        room.take(41)
    room.give_back(60)
    room.take(100)
    assert refused == ["queue_full"]


@pytest.mark.parametrize("path", ["/invocations", "/v2/models/m/infer"])
def test_a_shape_of_thousands_of_digits_is_refused_readably(
    path: str, shelf: "Shelf", ours: Callable[..., InProcess]
) -> None:
    number = "9" * 4000
    head = b"{'descr':'<f8','fortran_order':False,'shape':(0x%b,)}" % (b"f" * 3900)
    bodies = {
        "/invocations": (b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head, npy.NPY),
        "/v2/models/m/infer": (
            b'{"inputs":[{"name":"a","datatype":"FP64","shape":[%b,%b],"data":[1]}]}' % ((number.encode(),) * 2),
            "application/json",
        ),
    }
    answer = ours(shelf.iris).post(path, *bodies[path])
    assert answer.status_code == 400
    assert "too large" in answer.text


def _parquet(values: list[str], rows: int) -> bytes:
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype="int32")), pa.array(values))
    file = io.BytesIO()
    pq.write_table(pa.table({"order": column}), file, compression="zstd")
    return file.getvalue()


@pytest.mark.parametrize(
    "bomb", [_parquet(["x"], 20_000_000), _parquet(["x" * MEGABYTE], 5_000)], ids=["rows", "texts"]
)
def test_a_parquet_file_that_unpacks_to_far_more_is_refused_before(
    bomb: bytes, shelf: "Shelf", ours: Callable[..., InProcess]
) -> None:
    assert len(bomb) < MEGABYTE
    answer = ours(shelf.moody).post("/invocations", bomb, "application/vnd.apache.parquet")
    assert answer.status_code == 413
    assert "unpacks" in answer.json()["message"]
    parquet.check(_parquet(["x"], 1000))
    with pytest.raises(InvalidInput):
        parquet.check(bomb[:-5])


def test_a_body_of_many_packed_parts_costs_what_one_part_costs() -> None:
    with pytest.raises(InvalidInput, match="too much follows"):
        asyncio.run(unpacked(gzip.compress(b"") * 20_000, "gzip", MEGABYTE))
    noise = np.random.default_rng(6).bytes(30 * MEGABYTE)
    packed, begun = gzip.compress(noise, 1), time.process_time()
    assert asyncio.run(unpacked(packed, "gzip", 40 * MEGABYTE)) == noise
    assert asyncio.run(unpacked(gzip.compress(noise[:1000]) * 1000, "gzip", MEGABYTE)) == noise[:1000] * 1000
    assert time.process_time() - begun < 5
    with pytest.raises(TooLarge):
        asyncio.run(unpacked(packed, "gzip", MEGABYTE))


def _open_files(server: Replica) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))
