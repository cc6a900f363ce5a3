"""The program that a container's shim watches.

It opens the gateway inside the container's own network, and then becomes the engine's client, which passes signals in
and output and exit code out. The standard library only: there is one of it per container.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

from mooring.runtimes.process.shim import prctl
from mooring.runtimes.sandbox.inside.relay import Relay

_CANNOT = 125
"""As the engines themselves end when they could not start a container."""
_LOOK_AGAIN_SECONDS = 0.05
_TURN_SECONDS = 3600.0


def main() -> NoReturn:
    """`ENGINE NAME PID_FILE SECONDS [PORT SOCKET]`: runs the container to its end. Without a port there is no gateway.

    With a PID_FILE the engine can make the container's network before its start, and writes there whose it is. SECONDS
    bound how long that takes.
    """
    engine, name, pid_file, seconds, *gateway = sys.argv[1:]
    container = Container(engine, name, pid_file, float(seconds))
    if pid_file and (failure := container.initialise()):
        sys.stderr.write(failure)
        sys.exit(_CANNOT)
    if gateway:
        _open_gateway(container, int(gateway[0]), gateway[1])
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and what is ignored stays so
    os.execv(engine, [engine, "start", "--attach", name])  # noqa: S606 (no shell is what we want)


class Container:
    """One of an engine."""

    def __init__(self, engine: str, name: str, pid_file: str, seconds: float) -> None:
        self.is_prepared = bool(pid_file)
        self._initialise = [engine, "init", name]
        self._question = [engine, "container", "inspect", "--format", "{{.State.Pid}}", name]
        self._pid_file = pid_file
        self._seconds = seconds

    def initialise(self) -> str:
        """Have its network made, before it starts. Returns why that failed, or nothing."""
        try:
            done = subprocess.run(self._initialise, capture_output=True, text=True, timeout=self._seconds, check=False)
        except subprocess.TimeoutExpired:
            return f"{self._initialise[0]} has not made the container's network within {self._seconds:g} s"
        return done.stderr if done.returncode != 0 else ""

    def first_process(self) -> int:
        """Its number on this machine. Raises OSError when it has none within the time."""
        deadline = time.monotonic() + self._seconds
        while time.monotonic() < deadline:
            said = Path(self._pid_file).read_text() if self._pid_file else self._asked()
            if said.strip().isdigit() and int(said) > 0:
                return int(said)
            time.sleep(_LOOK_AGAIN_SECONDS)
        raise OSError("it has not started in time")

    def _asked(self) -> str:
        done = subprocess.run(self._question, capture_output=True, text=True, timeout=self._seconds, check=False)
        return done.stdout


def _open_gateway(container: Container, port: int, path: str) -> None:
    """In a child that lives as long as we do. Where it can be, it is there before the container's first instruction."""
    reader, writer = os.pipe()
    parent = os.getpid()
    if os.fork() == 0:
        os.close(reader)
        _relay(container, port, path, parent, writer)
    os.close(writer)
    if container.is_prepared:
        sys.stderr.write(os.read(reader, 4096).decode(errors="replace"))
        sys.stderr.flush()
    os.close(reader)


def _relay(container: Container, port: int, path: str, parent: int, writer: int) -> NoReturn:
    try:
        prctl.die_with(parent)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the container may need it until its last moment
        _join(container.first_process())
        relay = Relay(os.pipe()[0])
        relay.offer(port, path)
        _let_go_of(writer)
        while True:
            relay.turn(_TURN_SECONDS)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        _complain(writer, f"mooring: the gateway cannot be reached from inside this container: {error}\n")
    finally:
        os._exit(1)


def _complain(writer: int, said: str) -> None:
    try:
        os.write(writer, said.encode())
    except OSError:  # nobody has waited for us: the log is told
        sys.stderr.write(said)
        sys.stderr.flush()


def _let_go_of(writer: int) -> None:
    """Of the container's output, and of whoever waits for us."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(writer)


def _join(pid: int) -> None:
    """The network that this process sees. A rootless engine's belongs to a user namespace, which comes first."""
    user, own = Path(f"/proc/{pid}/ns/user"), Path("/proc/self/ns/user")
    namespaces = ["net"] if user.readlink() == own.readlink() else ["user", "net"]
    opened = [os.open(f"/proc/{pid}/ns/{each}", os.O_RDONLY | os.O_CLOEXEC) for each in namespaces]
    libc = ctypes.CDLL(None, use_errno=True)
    for descriptor in opened:
        if libc.setns(descriptor, 0) != 0:
            error = ctypes.get_errno()
            raise OSError(error, f"joining its network: {os.strerror(error)}")
        os.close(descriptor)
