"""Replicas and jobs as processes of this machine, each watched by a shim that outlives the control plane."""

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mooring import processes
from mooring.runtimes.base import (
    ContainerSpec,
    Endpoint,
    ImageError,
    ImageRequest,
    LogLine,
    Observation,
    Phase,
    ReplicaSpec,
)
from mooring.runtimes.containers import Containers, Program
from mooring.runtimes.process import layout, leftovers, lock, logs, memory, readiness, removal, sockets
from mooring.runtimes.process.environment import environment_of
from mooring.runtimes.process.forkserver.servers import ForkServers
from mooring.runtimes.process.launcher import launch, launch_forked
from mooring.runtimes.process.records import Ending, Memo, State
from mooring.runtimes.process.shim.order import Order

if TYPE_CHECKING:
    import subprocess

_RUN_ID = re.compile(r"[a-z][a-z0-9]{3,63}")
_READY_PATH = re.compile(r"/[!-~]*")
_LOGS = ".logs"  # nothing can have this id
_GONE = "its process is gone (killed, or the machine restarted)"
_NO_CONTAINERS = "no container can be run here: neither a sandbox nor a container engine is set up"


class ProcessRuntime:
    """Implements `Runtime`. All that it knows lies in `folder`, so any number of them may look after one folder.

    `containers` says how a user's container becomes a program; without it there are none. `log_file_bytes` bounds each
    of the two log files of a replica, `disk_bytes` what one of them may write to its folders (None: no limit).
    `fork_servers`: replicas that can be forked are, once one of their kind is ready; what they are forked from is ended
    with the last of them. A forked one that is not ready within `warm_seconds` is executed after all.
    `start_timeout_seconds` is for the shim (not for the replica), `ready_timeout_seconds` for one question whether a
    replica is ready, `end_timeout_seconds` for the kernel to remove processes that were killed.
    """

    def __init__(
        self,
        *,
        folder: Path,
        sockets: Path,
        containers: Containers | None = None,
        log_file_bytes: int = 10 << 20,
        disk_bytes: int | None = None,
        fork_servers: ForkServers | None = None,
        warm_seconds: float = 20.0,
        start_timeout_seconds: float = 10.0,
        ready_timeout_seconds: float = 1.0,
        end_timeout_seconds: float = 5.0,
    ) -> None:
        self._folder = folder.absolute()
        self._sockets = sockets.absolute()
        self._containers = containers
        self._log_file_bytes = log_file_bytes
        self._disk_bytes = disk_bytes
        self._fork_servers = fork_servers
        self._warm_seconds = warm_seconds
        self._start_timeout_seconds = start_timeout_seconds
        self._questions = readiness.Questions(ready_timeout_seconds)
        self._end_timeout_seconds = end_timeout_seconds
        self._shims: dict[str, subprocess.Popen[bytes]] = {}  # our own children, to be reaped
        self._stopped: set[str] = set()  # containers that were asked to end, and of which nothing is left
        self._reasons: dict[str, str] = {}  # of containers that have ended; asking an engine takes a while

    def prepare(self, request: ImageRequest) -> str:
        """Have the image on this machine. Slow. Raises ImageError, ImageAway."""
        if self._containers is None:
            raise ImageError(f"The image {request.image} cannot be used: {_NO_CONTAINERS}")
        return self._containers.prepare(request)

    def start(self, run_id: str, spec: ReplicaSpec | ContainerSpec) -> None:
        """Start it unless it was started before. Raises OSError when it cannot even be tried, and ValueError."""
        folder = self._folder_of(run_id)
        _check(spec)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = lock.take(folder / layout.LOCK)
        if held is None:
            return  # its shim runs, or somebody else is starting it
        try:
            if not _was_started(folder):
                self._launch(run_id, spec, held)
        finally:
            os.close(held)  # the shim keeps its copy

    def observe(self, run_id: str) -> Observation:
        """How it is now. `reason` of a replica that is starting says what it is waiting for."""
        folder = self._folder_of(run_id)
        self._reap(run_id)
        if not folder.is_dir():
            return Observation(Phase.ABSENT)
        if lock.is_held(folder / layout.LOCK) and not Ending.read(folder):
            return self._observe_running(run_id, folder)
        return self._observe_ended(run_id, folder)

    def memory_bytes(self, run_id: str) -> int | None:
        """What it uses now; None when that is not known (it does not run, or an engine runs it). Takes milliseconds."""
        folder = self._folder_of(run_id)
        memo = Memo.read(folder)
        return None if memo is None or memo.container else memory.used_bytes(folder)

    def replicas(self) -> list[str]:
        """The ids of all replicas and jobs that are not forgotten, running or not."""
        for run_id in list(self._shims):
            self._reap(run_id)
        with contextlib.suppress(FileNotFoundError):
            return sorted(path.name for path in self._folder.iterdir() if _RUN_ID.fullmatch(path.name))
        return []

    def stop(self, run_id: str) -> None:
        """Ask it to end. Returns at once. Raises OSError when the wish could be passed on but not be kept."""
        folder = self._folder_of(run_id)
        if not folder.is_dir() or Ending.read(folder):
            return
        try:
            # The mark first: should we die before the signal is sent, whoever observes the replica next sends it.
            (folder / layout.STOP).touch(mode=0o600)
        finally:
            _ask_to_end(folder)

    def forget(self, run_id: str) -> None:
        """Remove what is left of an ended replica, except for its logs. Raises OSError, also while it runs."""
        folder = self._folder_of(run_id)
        if not folder.is_dir():
            removal.finish(folder)
            return
        held = lock.take_within(folder / layout.LOCK, timeout_seconds=self._end_timeout_seconds)
        if held is None:
            raise BlockingIOError(f"Replica {run_id} still runs: stop it, and forget it once it has ended")
        try:
            self._observe_ended(run_id, folder)
            self._end_container(run_id, folder)
            self._socket_of(run_id).unlink(missing_ok=True)
            removal.remove(folder)
        finally:
            os.close(held)
        self._end_idle_fork_servers()
        self._reap(run_id)
        self._reasons.pop(run_id, None)
        self._stopped.discard(run_id)
        self._questions.forget(run_id)

    def collect(self, run_id: str, path: str, target: Path) -> bool:
        """Copy what an ended job has left at `path`; False when nothing lies there. Raises OSError."""
        folder = self._folder_of(run_id)
        if self._containers is None:
            raise OSError(f"{path} of {run_id} cannot be fetched: {_NO_CONTAINERS}")
        if lock.is_held(folder / layout.LOCK) and not Ending.read(folder):
            raise BlockingIOError(f"{path} of {run_id} cannot be fetched: it still runs, and may still be writing")
        return folder.is_dir() and self._containers.collect(run_id, folder, path, target)

    def endpoint(self, run_id: str) -> Endpoint:
        """Where it listens: its unix socket, or an address of this machine."""
        return readiness.endpoint_of(Memo.read(self._folder_of(run_id)), self._socket_of(run_id))

    def gateway_url(self, public_url: str) -> str:
        """Under which URL a container reaches the gateway."""
        return self._containers.gateway_url(public_url) if self._containers else public_url

    def logs(self, run_id: str, *, start: datetime, end: datetime, newest_first: bool = False) -> Iterator[LogLine]:
        """Its lines between two moments, both included, also after it has ended."""
        return logs.read(self._log_of(run_id), start=start, end=end, newest_first=newest_first)

    def logged(self) -> list[str]:
        """The ids of all of which there are logs."""
        with contextlib.suppress(FileNotFoundError):
            return sorted({path.name.partition(".")[0] for path in (self._folder / _LOGS).iterdir()})
        return []

    def forget_logs(self, run_id: str) -> None:
        """Remove its logs."""
        logs.forget(self._log_of(run_id))

    def _folder_of(self, run_id: str) -> Path:
        if not _RUN_ID.fullmatch(run_id):
            raise ValueError(f"{run_id!r} is no replica id: 4 to 64 characters a-z and 0-9, a letter first")
        return self._folder / run_id

    def _log_of(self, run_id: str) -> Path:
        self._folder_of(run_id)
        return self._folder / _LOGS / f"{run_id}.log"

    def _socket_of(self, run_id: str) -> Path:
        self._folder_of(run_id)
        return sockets.socket_in(self._sockets, run_id)

    def _program_of(self, run_id: str, spec: ReplicaSpec | ContainerSpec, folder: Path) -> Program:
        if isinstance(spec, ReplicaSpec):
            env, memory_bytes = environment_of(spec, folder), spec.limits.memory_bytes
            return Program(spec.argv, env, memory_bytes=memory_bytes, our_words=len(spec.argv))
        if self._containers is None:
            raise ValueError(f"{run_id} cannot be started: {_NO_CONTAINERS}")
        return self._containers.program(run_id, spec, folder)

    def _launch(self, run_id: str, spec: ReplicaSpec | ContainerSpec, held: int) -> None:
        folder, path = self._folder_of(run_id), self._socket_of(run_id)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._log_of(run_id).parent.mkdir(mode=0o700, exist_ok=True)
        for name in (layout.HOME, layout.TEMPORARY):
            (folder / name).mkdir(mode=0o700, exist_ok=True)
        program = self._program_of(run_id, spec, folder)
        readiness.memo_of(spec, program).write(folder)
        order = Order(
            argv=program.arguments(path),
            env=dict(program.env),
            log=str(self._log_of(run_id)),
            log_file_bytes=self._log_file_bytes,
            lock=held,
            memory_bytes=program.memory_bytes,
            open_files=spec.limits.open_files,
            stop_grace_seconds=spec.stop_grace_seconds,
            disk_bytes=self._disk_bytes,
            folders=_given_to_write(spec),
        )
        if not self._launch_forked(spec, folder, order):
            self._shims[run_id] = launch(folder, order, timeout_seconds=self._start_timeout_seconds)

    def _launch_forked(self, spec: ReplicaSpec | ContainerSpec, folder: Path, order: Order) -> bool:
        if self._fork_servers is None or not isinstance(spec, ReplicaSpec) or spec.warm is None:
            return False
        forked = order.warmed(spec.warm.module, self._warm_seconds)
        try:
            server = self._fork_servers.socket(spec.warm)
            launch_forked(server, folder, forked, timeout_seconds=self._start_timeout_seconds)
        except OSError:  # none is there, or not warm yet, or not well: the other way always works
            return False
        return True

    def _keep_fork_server(self, memo: Memo) -> None:
        if self._fork_servers and memo.warm:
            with contextlib.suppress(OSError):  # a full disk, no more processes: it is an aid, and tried again
                self._fork_servers.keep(memo.warm)

    def _end_idle_fork_servers(self) -> None:
        if self._fork_servers:
            memos = map(Memo.read, map(self._folder_of, self.replicas()))
            self._fork_servers.end_all_but({memo.warm for memo in memos if memo and memo.warm})

    def _observe_running(self, run_id: str, folder: Path) -> Observation:
        state, memo = State.read(folder), Memo.read(folder)
        pid = state.program.pid if state else None
        if (folder / layout.STOP).exists():
            _ask_to_end(folder)
            return Observation(Phase.STOPPING, pid, asked=True)
        if memo is None or state is None:
            return Observation(Phase.STARTING, pid)
        reason = self._questions.why_not(run_id, memo, self._socket_of(run_id), state.program)
        if not reason:
            self._keep_fork_server(memo)  # now and not earlier: the first one needs the processors itself
        return Observation(Phase.STARTING if reason else Phase.READY, pid, reason)

    def _observe_ended(self, run_id: str, folder: Path) -> Observation:
        ending, state = Ending.read(folder), State.read(folder)
        asked = (folder / layout.STOP).exists()
        if ending is None and state is None:
            if asked:
                return Observation(Phase.EXITED, reason="stopped before it was started", asked=True)
            return Observation(Phase.ABSENT)  # who wanted to start it died before anything ran
        ending = ending or self._end_unwatched(run_id, folder, state)
        pid = state.program.pid if state else None
        reason = self._better_reason(run_id, folder, ending) or ending.reason
        if asked:
            self._end_stopped(run_id, folder)
        return Observation(Phase.EXITED, pid, reason, ending.exit_code, asked)

    def _better_reason(self, run_id: str, folder: Path, ending: Ending) -> str:
        """What an engine knows of a failure."""
        memo = Memo.read(folder)
        if not (self._containers and ending.exit_code and memo and memo.container):
            return ""
        if run_id not in self._reasons:
            with contextlib.suppress(OSError):  # then it is asked again
                self._reasons[run_id] = self._containers.reason(run_id, folder, ending.exit_code)
        return self._reasons.get(run_id, "")

    def _end_stopped(self, run_id: str, folder: Path) -> None:
        """One that was killed for not ending in time is an engine's client: its container may go on."""
        if run_id not in self._stopped:
            with contextlib.suppress(OSError):  # then it is tried again, at the latest when it is forgotten
                self._end_container(run_id, folder)
                self._stopped.add(run_id)

    def _end_unwatched(self, run_id: str, folder: Path, state: State | None) -> Ending:
        if state is not None:
            leftovers.end(state, folder, timeout_seconds=self._end_timeout_seconds)
        ending = Ending(None, _GONE)
        with contextlib.suppress(OSError):  # a full disk, an engine that is away: then all of it is done anew
            self._end_container(run_id, folder)
            ending.write(folder)
        return ending

    def _end_container(self, run_id: str, folder: Path) -> None:
        """Raises OSError."""
        memo = Memo.read(folder)
        if self._containers and memo and memo.container:
            self._containers.end(run_id, folder)

    def _reap(self, run_id: str) -> None:
        shim = self._shims.get(run_id)
        if shim is not None and shim.poll() is not None:
            self._shims.pop(run_id, None)


def _check(spec: ReplicaSpec | ContainerSpec) -> None:
    if isinstance(spec, ReplicaSpec):
        if not spec.argv:
            raise ValueError("A replica needs a program: argv is empty")
        path: str | None = spec.ready_path
    else:
        path = spec.readiness.path if spec.readiness else None
    if path is not None and not _READY_PATH.fullmatch(path):
        raise ValueError(f"{path!r} is no path of a URL: it begins with / and holds no blanks")


def _given_to_write(spec: ReplicaSpec | ContainerSpec) -> list[str]:
    mounts = spec.mounts if isinstance(spec, ContainerSpec) else ()
    return [str(mount.source.absolute()) for mount in mounts if not mount.read_only]


def _was_started(folder: Path) -> bool:
    marks = (layout.STATE, layout.EXIT, layout.STOP)
    return any((folder / name).exists() for name in marks)


def _ask_to_end(folder: Path) -> None:
    state = State.read(folder)
    if state is not None and lock.is_held(folder / layout.LOCK):
        processes.send(state.shim, signal.SIGTERM)
