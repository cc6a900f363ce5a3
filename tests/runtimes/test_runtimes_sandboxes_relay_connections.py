"""What goes through the relay of a sandbox comes out as it went in, however slow, large or abrupt somebody is."""

import hashlib
import os
import select
import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mooring.runtimes.base import Phase, Readiness
from mooring.runtimes.sandbox.inside.relay import Relay
from tests.runtimes.harbour import until
from tests.runtimes.sandboxes import Sandboxes

SECONDS = 30


class World:
    """A relay from a unix socket to a TCP port of ours, in a thread."""

    def __init__(self, folder: Path) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(SECONDS)
        self.path = folder / "relay.sock"
        bound = socket.socket(socket.AF_UNIX)
        bound.bind(str(self.path))
        reader, self._writer = os.pipe()
        self.relay = Relay(reader)
        self.relay.serve(bound.detach(), self.server.getsockname()[1])
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self.server.accept()[0].close()  # the relay asks whether somebody is there
        until("it listens", self._listens)

    def connect(self) -> tuple[socket.socket, socket.socket]:
        """Both ends of a new connection: the client's, the server's."""
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(SECONDS)
        client.connect(str(self.path))
        server = self.server.accept()[0]
        server.settimeout(SECONDS)
        return client, server

    def close(self) -> None:
        self._over.set()
        os.write(self._writer, b"x")
        self._thread.join(timeout=SECONDS)
        self.server.close()

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.path))
            except ConnectionRefusedError:
                return False
        self.server.accept()[0].close()
        return True

    def _run(self) -> None:
        while not self._over.is_set():
            self.relay.turn(1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = Path(os.path.relpath(tmp_path))  # short enough for the kernel
    world = World(folder if len(str(folder)) < len(str(tmp_path)) else tmp_path)
    try:
        yield world
    finally:
        world.close()


def _send_and_leave(connection: socket.socket, content: bytes) -> None:
    with connection:
        connection.sendall(content)


def read_all(connection: socket.socket) -> bytes:
    pieces = []
    while piece := connection.recv(1 << 20):
        pieces.append(piece)
    return b"".join(pieces)


def test_both_directions_carry_large_content_at_the_same_time(world: World) -> None:
    client, server = world.connect()
    up, down = os.urandom(20 << 20), os.urandom(20 << 20)

    def send(connection: socket.socket, content: bytes) -> None:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)

    with ThreadPoolExecutor(4) as pool, client, server:
        sending = [pool.submit(send, client, up), pool.submit(send, server, down)]
        received = [pool.submit(read_all, server), pool.submit(read_all, client)]
        assert [future.result(SECONDS) for future in received] == [up, down]
        assert [future.result(SECONDS) for future in sending] == [None, None]


def test_who_has_said_all_can_still_be_answered(world: World) -> None:
    client, server = world.connect()
    with client, server:
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        assert read_all(server) == b"question"
        server.sendall(b"an answer after the end of the question")
        server.close()
        assert read_all(client) == b"an answer after the end of the question"


def test_the_last_words_of_a_client_that_leaves_arrive(world: World) -> None:
    client, server = world.connect()
    content = os.urandom(4 << 20)
    with ThreadPoolExecutor(1) as pool, server:
        sending = pool.submit(_send_and_leave, client, content)
        assert read_all(server) == content
        sending.result(SECONDS)


def test_an_answer_before_the_end_of_the_question_arrives(world: World) -> None:
    client, server = world.connect()
    with client, server:
        client.sendall(b"x" * 1000)
        assert server.recv(10) == b"x" * 10
        server.sendall(b"413 too large")
        server.shutdown(socket.SHUT_WR)
        assert read_all(client) == b"413 too large"


def test_a_reader_that_does_not_read_holds_the_writer_back(world: World) -> None:
    client, server = world.connect()
    with client, server:
        client.setblocking(False)
        sent = 0
        while select.select([], [client], [], 0.5)[1]:  # until nothing has gone on for half a second
            sent += client.send(bytes(1 << 16))
            assert sent < 64 << 20, "somebody holds everything"
        got = 0
        while got < sent:
            got += len(server.recv(1 << 20))
        assert got == sent


def test_a_slow_connection_does_not_delay_another(world: World) -> None:
    stuck, _stuck_server = world.connect()
    stuck.setblocking(False)
    while select.select([], [stuck], [], 0.2)[1]:
        stuck.send(bytes(1 << 16))
    client, server = world.connect()
    with client, server, stuck, _stuck_server:
        client.sendall(b"ping")
        assert server.recv(4) == b"ping"
        server.sendall(b"pong")
        assert client.recv(4) == b"pong"


def test_a_reset_ends_the_other_side_too(world: World) -> None:
    client, server = world.connect()
    with client:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.close()
        assert client.recv(10) == b""
    client, server = world.connect()
    with server:
        client.close()
        assert server.recv(10) == b""


def test_hundreds_of_connections_are_open_at_once(world: World) -> None:
    pairs = [world.connect() for _ in range(300)]
    for number, (client, _) in enumerate(pairs):
        client.sendall(b"%d" % number)
    for number, (_, server) in enumerate(pairs):
        assert server.recv(10) == b"%d" % number
    before = _descriptors()
    for client, server in pairs:
        client.close()
        server.close()
    until("all descriptors are given back", lambda: _descriptors() <= before - 4 * 300)


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.slow
def test_a_hundred_megabytes_go_through_a_sandbox(sandboxes: Sandboxes) -> None:
    server = """
import hashlib, socket
listener = socket.create_server(("127.0.0.1", 8080))
while True:
    connection, _ = listener.accept()
    digest = hashlib.sha256()
    while piece := connection.recv(1 << 20):
        digest.update(piece)
    try:
        connection.sendall(digest.digest())
        connection.sendall(bytes(100 << 20))
    except OSError:
        pass  # somebody who only wanted to know whether we are here
    connection.close()
"""
    sandboxes.harbour.runtime.start("replica1", sandboxes.spec(server, readiness=Readiness(8080)))
    sandboxes.harbour.until("replica1", Phase.READY)
    content = os.urandom(100 << 20)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(SECONDS)
        client.connect(str(sandboxes.harbour.socket("replica1")))
        client.sendall(content)
        client.shutdown(socket.SHUT_WR)
        answer = read_all(client)
    assert answer[:32] == hashlib.sha256(content).digest()
    assert len(answer) == 32 + (100 << 20)
