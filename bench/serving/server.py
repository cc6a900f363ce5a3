"""One running server: started, waited for, looked at, ended with all that it has started."""

import contextlib
import os
import random
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.serving.launches import Launch, Place
from bench.serving.load import Requests, WrongAnswer
from bench.system import memory_mib, process_family
from mooring import processes

_START_SECONDS = 120.0
_GRACE_SECONDS = 15.0
_POLL_SECONDS = 0.05
_TICKS = os.sysconf("SC_CLK_TCK")


class NotStarted(Exception):
    """Why a server does not answer as it should, in one line."""


class Server:
    """A family of processes behind one address of this machine."""

    def __init__(self, process: processes.ProcessId, port: int, log: Path) -> None:
        self._process = process
        self._log = log
        self.url = f"http://127.0.0.1:{port}"

    def wait_for(self, requests: Requests) -> None:
        """Until the first right answer. Raises NotStarted."""
        deadline, why = time.monotonic() + _START_SECONDS, "no answer"
        while time.monotonic() < deadline:
            if not processes.is_alive(self._process):
                raise NotStarted(f"it has ended: {self._last_line()}")
            try:
                requests.check_one(self.url)
            except (WrongAnswer, httpx.HTTPError) as error:
                why = str(error)
            else:
                return
            time.sleep(_POLL_SECONDS)
        raise NotStarted(f"not within {_START_SECONDS:g} s: {why}; its log ends: {self._last_line()}")

    def cpu_seconds(self) -> float:
        """What all of its processes have used so far."""
        return sum(_cpu_ticks(pid) for pid in process_family(self._process.pid)) / _TICKS

    def memory(self) -> tuple[float, int]:
        """PSS of all of its processes in MiB, and how many they are."""
        sizes = []
        for pid in process_family(self._process.pid):
            with contextlib.suppress(OSError, ValueError):
                sizes.append(memory_mib(pid)[0])
        return sum(sizes), len(sizes)

    def stop(self) -> None:
        """With its descendants, also those that have left its session."""
        family = [process for pid in process_family(self._process.pid) if (process := processes.identify(pid))]
        processes.stop_session(self._process, grace_seconds=_GRACE_SECONDS)
        for process in family:
            processes.stop(process, grace_seconds=1)

    def check_log(self, refusal: str) -> None:
        """Raises NotStarted with the first line in which `refusal` is found."""
        for line in self._log.read_text(errors="replace").splitlines():
            if re.search(refusal, line):
                raise NotStarted(line.strip()[:300])

    def _last_line(self) -> str:
        lines = [line for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1].strip()[:300] if lines else "without a word"


@contextmanager
def started(launch: Launch, place: Place) -> Iterator[Server]:
    """It runs for as long as the block does, but has not been waited for. Raises NotStarted."""
    log = place.scratch / "log"
    try:
        process = processes.spawn_detached(
            [str(word) for word in launch.argv], log=log, env=launch.environment, cwd=place.scratch
        )
    except OSError as error:
        raise NotStarted(str(error)) from error
    server = Server(process, place.port, log)
    try:
        yield server
    finally:
        server.stop()


def free_port() -> int:
    """With two free ports after it, and none that the kernel gives to whoever asks for any."""
    while True:
        port = random.randrange(20_000, 32_000, 10)
        with contextlib.suppress(OSError), contextlib.ExitStack() as taken:
            for offset in range(3):
                taken.enter_context(socket.socket()).bind(("127.0.0.1", port + offset))
            return port


def _cpu_ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def has_wrk() -> bool:
    """Whether the load program is there."""
    try:
        subprocess.run(["wrk", "-v"], capture_output=True, timeout=10, check=False)
    except OSError:
        return False
    return True
