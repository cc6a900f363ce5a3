"""Model servers forked from a warm parent, as a runtime forks replicas: an executed one imports for three seconds."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, NoReturn

_ROOT = Path(__file__).parents[2]
_LONGEST_MESSAGE = 65_536
_WARM_SECONDS = 120.0
_POLL_SECONDS = 0.01
_LOOK_SECONDS = 0.03
_MODULE = "mooring.modelserver.warm"
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Child:
    """What tests need of a `Popen`, for a process that somebody else waits for."""

    def __init__(self, pid: int, ended: Path) -> None:
        self.pid = pid
        self._ended = ended

    def poll(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it runs."""
        return int(self._ended.read_text()) if self._ended.exists() else None

    def wait(self, timeout: float) -> int:
        """The same, once it has ended. Raises TimeoutExpired."""
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(_POLL_SECONDS)
        return code

    def send_signal(self, signum: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, signum)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The warm parent, as a process of its own; what it has forked is ended before it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._forked = 0
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.settimeout(_WARM_SECONDS)
        environment = {"PATH": os.defpath, "HOME": str(folder), "PYTHONPATH": str(_ROOT), **_ONE_THREAD}
        with theirs, (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.modelserver.nursery", str(theirs.fileno())],
                cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=(theirs.fileno(),), start_new_session=True,
            )  # fmt: skip

    def start(self, arguments: list[str], log: IO[bytes], env: dict[str, str]) -> Child:
        """`python -m mooring.modelserver` with exactly this environment."""
        self._forked += 1
        ended = self._folder / str(self._forked)
        order = json.dumps({"arguments": arguments, "env": env, "ended": str(ended)}).encode()
        socket.send_fds(self._connection, [order], [log.fileno()])
        answer = self._connection.recv(_LONGEST_MESSAGE)
        assert answer, (self._folder / "log").read_text()
        return Child(int(answer), ended)

    def close(self) -> None:
        self._connection.close()
        self._process.wait(_WARM_SECONDS)


def serve(connection: socket.socket) -> None:
    """Blocks until the other side is closed."""
    from mooring.modelserver import warm

    warm.prepare()
    ends: dict[int, Path] = {}
    while True:
        while not select.select([connection], [], [], _LOOK_SECONDS)[0]:
            _note_ends(ends)
        message, descriptors, _, _ = socket.recv_fds(connection, _LONGEST_MESSAGE, 1)
        if not message:
            return
        order, (log,) = json.loads(message), descriptors
        if (pid := os.fork()) == 0:
            _become_server(order, log)
        ends[pid] = Path(order["ended"])
        os.close(log)
        connection.send(str(pid).encode())


def _note_ends(ends: dict[int, Path]) -> None:
    for pid in list(ends):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            path = ends.pop(pid)
            written = path.with_suffix(".written")
            written.write_text(str(os.waitstatus_to_exitcode(status)))
            written.rename(path)


def _become_server(order: dict[str, Any], log: int) -> NoReturn:
    from mooring.runtimes.process.shim.become import become
    from mooring.runtimes.process.shim.order import Order

    os.setsid()
    for standard in (1, 2):
        os.dup2(log, standard)
    ready = os.open(os.devnull, os.O_WRONLY)
    program = Order(
        argv=["mooring.modelserver"], arguments=order["arguments"], module=_MODULE, env=order["env"],
        log="", log_file_bytes=0, lock=-1, memory_bytes=None, open_files=0, stop_grace_seconds=0,
    )  # fmt: skip
    become(program, ready)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
