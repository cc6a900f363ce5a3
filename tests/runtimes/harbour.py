"""Real replicas: small Python programs that listen on the unix socket that they are given."""

import http.client
import socket
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from mooring.processes import ProcessId, send
from mooring.runtimes.base import LogLine, Observation, Phase, ReplicaSpec, Runtime
from mooring.runtimes.process.records import State
from mooring.runtimes.process.runtime import ProcessRuntime
from mooring.runtimes.process.shim import proc

SERVER = """
import http.server, os, signal, socketserver, sys, threading, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def address_string(self):
        return "-"
    def log_message(self, *args):
        pass
    def do_GET(self):
        status, body = answer(self.path)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = False
    request_queue_size = 16

def answer(path):
    return 200, b"ok"

def serve():
    server = Server(sys.argv[1], Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.01)
    server.server_close()  # waits for the requests that run
"""

T = TypeVar("T")

WAIT_SECONDS = 20.0


def until(what: str, condition: Callable[[], T], *, seconds: float = WAIT_SECONDS) -> T:
    """The first result that is true; fails when there is none within the time."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)
    return result


def python(program: str, **options: Any) -> ReplicaSpec:
    """A replica that runs this program; its first argument is the socket."""
    return ReplicaSpec(argv=[sys.executable, "-I", "-S", "-u", "-c", program, "{socket}"], **options)


def server(extra: str = "", **options: Any) -> ReplicaSpec:
    """A replica that answers 200 to everything, unless `extra` redefines `answer(path)`."""
    return python(f"{SERVER}\n{extra}\nserve()", **options)


class Harbour:
    """A runtime in a folder of its own, and what tests ask about it all the time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "replicas"
        self.sockets = folder / "sockets"
        self.runtime: Runtime = self.another()

    def another(self, **options: Any) -> ProcessRuntime:
        """A second runtime over the same folder, as after a restart of the control plane."""
        return ProcessRuntime(folder=self.folder, sockets=self.sockets, **options)

    def until(self, replica_id: str, phase: Phase) -> Observation:
        """Its first observation in this phase."""
        last: list[Observation] = []

        def reached() -> bool:
            last[:] = [self.runtime.observe(replica_id)]
            return last[0].phase is phase

        until(f"{replica_id} is {phase}, but {last}", reached)
        return last[0]

    def socket(self, replica_id: str) -> Path:
        """The unix socket on which it listens."""
        endpoint = self.runtime.endpoint(replica_id)
        assert isinstance(endpoint, Path)
        return endpoint

    def state(self, replica_id: str) -> State:
        """The processes that its record names."""
        state = State.read(self.folder / replica_id)
        assert state is not None
        return state

    def lines(self, replica_id: str, *, newest_first: bool = False) -> list[LogLine]:
        """All lines of its log."""
        start, end = datetime(2000, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)
        return list(self.runtime.logs(replica_id, start=start, end=end, newest_first=newest_first))

    def messages(self, replica_id: str) -> list[str]:
        """The text of all lines of its log."""
        return [line.message for line in self.lines(replica_id)]

    def close(self) -> None:
        """End whatever the test has left."""
        for replica_id in self.runtime.replicas():
            self._end(replica_id)

    def _end(self, replica_id: str) -> None:
        if state := State.read(self.folder / replica_id):
            send(state.shim, 9)
        until(f"{replica_id} has ended", lambda: not self._runs(replica_id))

    def _runs(self, replica_id: str) -> bool:
        return self.runtime.observe(replica_id).phase not in (Phase.EXITED, Phase.ABSENT)


def runs(pid: int) -> bool:
    """Whether a process of this number runs (a zombie does not)."""
    return proc.find(pid) is not None


def identity(pid: int) -> ProcessId:
    """The identity of a process that runs."""
    process = proc.find(pid)
    assert process is not None
    return ProcessId(process.pid, process.started)


def get(path: Path, target: str) -> bytes:
    """The body of an answer over a unix socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(path))
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: replica\r\nConnection: close\r\n\r\n".encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.read()
