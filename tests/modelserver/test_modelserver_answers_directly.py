"""The short way and the long way to an answer cannot be told apart, whatever a connection does."""

import json
import select
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from tests.modelserver.conftest import Replica, wait_until

if TYPE_CHECKING:
    from tests.modelserver.conftest import Shelf

pytestmark = pytest.mark.slow

DEADLINE_SECONDS = 30.0
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def server(shelf: "Shelf", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    replica = Replica(shelf.cancer, tmp_path_factory.mktemp("direct"), "--max-request-bytes", "60000")
    yield replica.until_ready()
    replica.close()


class Connection:
    """A client that sends its bytes as it likes."""

    def __init__(self, server: Replica) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(DEADLINE_SECONDS)
        self._socket.connect(str(server.socket))
        self._file = self._socket.makefile("rb")

    def send(self, *pieces: bytes) -> "Connection":
        for piece in pieces:
            self._socket.sendall(piece)
        return self

    def send_until_refused(self, piece: bytes, most: int) -> int:
        """How many bytes are taken before nothing has been for two seconds."""
        sent = 0
        while sent < most and select.select([], [self._socket], [], 2.0)[1]:
            sent += self._socket.send(piece, socket.MSG_DONTWAIT)
        return sent

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers, body of the next one."""
        status = int(self._file.readline().split()[1])
        headers: dict[str, str] = {}
        while line := self._file.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name] = value
        return status, headers, self._file.read(int(headers["content-length"]))

    def is_at_its_end(self) -> bool:
        return self._file.read(1) == b""

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@pytest.fixture
def connect(server: Replica) -> Iterator[Callable[[], Connection]]:
    connections: list[Connection] = []

    def connect() -> Connection:
        connections.append(Connection(server))
        return connections[-1]

    yield connect
    for connection in connections:
        connection.close()


@pytest.fixture(scope="module")
def body(rows: pd.DataFrame) -> bytes:
    return json.dumps({"dataframe_split": rows.iloc[:3].to_dict("split")}).encode()


def request(body: bytes, *headers: str, path: str = "/invocations") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: m", "content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def _steady(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, dict[str, str], object]:
    status, headers, content = answer
    return status, {**headers, "date": "", "x-request-id": ""}, json.loads(content)


def test_the_answer_is_the_same_however_the_request_is_cut(connect: Callable[[], Connection], body: bytes) -> None:
    whole = request(body)
    chunked = request(b"").replace(b"content-length: 0", b"transfer-encoding: chunked")
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:9], body[9:])) + b"0\r\n\r\n"
    expect = whole.replace(b"host: m", b"host: m\r\nexpect: 100-continue")
    answers = []
    connection = connect()
    for pieces in ([whole], [whole[:30], whole[30:]], [whole[:-7], whole[-7:]], [chunked + chunks], [expect]):
        answers.append(_steady(connection.send(*pieces).answer()))
    assert answers[0][0] == 200
    assert answers[0][2] == {"predictions": [0, 0, 0]}
    assert all(answer == answers[0] for answer in answers)


def test_a_slow_body_is_waited_for_and_not_for_ever(
    shelf: "Shelf", replica: Callable[..., Replica], body: bytes
) -> None:
    server = replica(shelf.cancer, "--request-seconds", "2").until_ready()
    stuck, stopped = Connection(server), Connection(server)
    whole = request(body)
    stuck.send(whole[:-1])
    status, headers, _ = stuck.answer()  # long after the patience of the short way
    assert (status, headers["connection"]) == (408, "close")
    stuck.close()
    stopped.send(whole[:-5])
    wait_until(lambda: server.status("/ping") == 200)
    server.process.terminate()
    wait_until(lambda: server.status("/ping") is None)
    stopped.send(whole[-5:])
    status, headers, _ = stopped.answer()
    assert (status, headers["connection"]) == (200, "close")
    stopped.close()
    assert server.process.wait(DEADLINE_SECONDS) == 0


def test_ids_are_the_callers_or_new_ones(connect: Callable[[], Connection], body: bytes) -> None:
    connection = connect()
    ids = [
        connection.send(request(body, *given)).answer()[1]["x-request-id"] for given in ([], [], ["X-Request-ID: a"])
    ]
    assert ids[2] == "a"
    assert len(set(ids)) == 3
    assert len(ids[0]) == 32


def test_pipelined_requests_are_answered_in_their_order(connect: Callable[[], Connection], body: bytes) -> None:
    probe = b"GET /v2/health/ready HTTP/1.1\r\nhost: m\r\n\r\n"
    bad = request(b'{"dataframe_split": 1}', "x-request-id: bad")
    requests = [request(body, "x-request-id: 1"), probe, request(body, "x-request-id: 2"), bad, request(body), probe]
    connection = connect().send(b"".join(requests))
    answers = [connection.answer() for _ in requests]
    assert [answer[0] for answer in answers] == [200, 200, 200, 400, 200, 200]
    assert [answers[at][1]["x-request-id"] for at in (0, 2, 3)] == ["1", "2", "bad"]
    assert b"ready" in answers[1][2]


def test_many_connections_each_get_their_own(connect: Callable[[], Connection], rows: pd.DataFrame) -> None:
    parts = [rows.iloc[at : at + 1 + at % 3] for at in range(40)]
    connections = [connect() for _ in parts]
    for connection, part in zip(connections, parts, strict=True):
        connection.send(request(json.dumps({"dataframe_split": part.to_dict("split")}).encode()))
    got = [json.loads(connection.answer()[2])["predictions"] for connection in connections]
    assert [len(answer) for answer in got] == [len(part) for part in parts]
    together = connect().send(request(json.dumps({"dataframe_split": pd.concat(parts).to_dict("split")}).encode()))
    assert np.concatenate(got).tolist() == json.loads(together.answer()[2])["predictions"]


def test_who_wants_the_connection_closed_gets_it_closed(connect: Callable[[], Connection], body: bytes) -> None:
    for closing in (request(body, "connection: close"), request(body).replace(b"HTTP/1.1", b"HTTP/1.0")):
        connection = connect().send(closing)
        status, headers, _ = connection.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert connection.is_at_its_end()


def test_what_is_not_for_the_short_way_is_answered_all_the_same(
    connect: Callable[[], Connection], body: bytes, server: Replica
) -> None:
    connection = connect()
    assert connection.send(request(body, path="/invocations?a=b")).answer()[0] == 200
    assert connection.send(request(body, path="/m/invocations")).answer()[0] == 200
    assert connection.send(request(body, path="/nothing")).answer()[0] == 404
    assert connection.send(request(body).replace(b"application/json", b"text/strange")).answer()[0] == 415
    assert connection.send(request(body, "content-encoding: gzip")).answer()[0] == 400
    large = connect().send(request(b" " * 60_001))
    assert large.answer()[0] == 413
    assert "Traceback" not in server.stderr()


def test_half_requests_and_clients_that_go_away_leave_nothing(
    connect: Callable[[], Connection], body: bytes, server: Replica
) -> None:
    whole = request(body)
    before = _open_files(server)
    for number in range(60):
        connection = Connection(server).send(whole[: 1 + number * len(whole) // 60])
        connection.close()
    for _ in range(60):
        Connection(server).send(whole * 5).close()
    broken = connect().send(whole[:40], b"\r\n: \r\n\r\n")
    assert broken.answer()[0] == 400
    assert broken.is_at_its_end()
    broken.close()
    wait_until(lambda: _open_files(server) <= before)
    assert connect().send(whole).answer()[0] == 200
    assert "Traceback" not in server.stderr()


def test_who_does_not_read_is_not_read_either(connect: Callable[[], Connection], body: bytes, server: Replica) -> None:
    whole = request(body)
    sent = connect().send_until_refused(whole * 20, most=64 * MEGABYTE)
    assert sent < 4 * MEGABYTE, "its answers pile up somewhere"
    assert connect().send(whole).answer()[0] == 200
    assert server.status("/v2/health/live") == 200


def _open_files(server: Replica) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def test_memory_stays_flat(connect: Callable[[], Connection], body: bytes, server: Replica) -> None:
    connection, batch = connect(), request(body) * 10

    def ask(times: int) -> int:
        for _ in range(times):
            connection.send(batch)
            for _ in range(10):
                assert connection.answer()[0] == 200
        return _private_bytes(server)

    ask(50)
    before = ask(10)
    assert ask(250) - before < 2 * MEGABYTE


def _private_bytes(server: Replica) -> int:
    fields = dict(
        line.split(":", 1) for line in Path(f"/proc/{server.process.pid}/smaps_rollup").read_text().splitlines()[1:]
    )
    return int(fields["Private_Dirty"].split()[0]) * 1024


def test_memory_stays_flat_over_an_hour_of_requests(body: bytes, rows: pd.DataFrame, server: Replica) -> None:
    """An hour of requests at ten a second: most as they mostly come, some that MLflow has to read itself."""
    single = request(json.dumps({"dataframe_split": rows.iloc[:1].to_dict("split")}).encode())
    general = request(rows.iloc[:2].to_csv(index=False).encode()).replace(b"application/json", b"text/csv", 1)
    refused = request(body[:-1])
    connections = [Connection(server) for _ in range(16)]

    def ask(rounds: int, whole: bytes, status: int) -> None:
        for _ in range(rounds):
            for connection in connections:
                connection.send(whole)
            for connection in connections:
                assert connection.answer()[0] == status

    def hour(requests: int) -> int:
        ask(requests // 16, single, 200)
        ask(requests // 16 // 30, general, 200)
        ask(requests // 16 // 100, refused, 400)
        return _private_bytes(server)

    before = hour(5_000)
    assert hour(40_000) - before < 3 * MEGABYTE
    for connection in connections:
        connection.close()
