"""Replicas as processes of this machine, each watched by a shim that outlives the control plane."""

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mooring import processes
from mooring.runtimes.base import LogLine, Observation, Phase, ReplicaSpec
from mooring.runtimes.process import layout, leftovers, lock, logs, removal, sockets
from mooring.runtimes.process.environment import environment_of
from mooring.runtimes.process.launcher import launch
from mooring.runtimes.process.probe import why_not_ready
from mooring.runtimes.process.records import Ending, Memo, State
from mooring.runtimes.process.shim.order import Order

if TYPE_CHECKING:
    import subprocess

_REPLICA_ID = re.compile(r"[a-z][a-z0-9]{3,63}")
_READY_PATH = re.compile(r"/[!-~]*")
_LOGS = ".logs"  # no replica can have this id
_GONE = "the replica's process is gone (killed, or the machine restarted)"


class ProcessRuntime:
    """Implements `Runtime`. All that it knows lies in `folder`, so any number of them may look after one folder.

    `log_file_bytes` bounds each of the two log files of a replica. `start_timeout_seconds` is for the shim (not for
    the replica), `ready_timeout_seconds` for one question whether a replica is ready, `end_timeout_seconds` for the
    kernel to remove processes that were killed.
    """

    def __init__(
        self,
        *,
        folder: Path,
        sockets: Path,
        log_file_bytes: int = 10 << 20,
        start_timeout_seconds: float = 10.0,
        ready_timeout_seconds: float = 1.0,
        end_timeout_seconds: float = 5.0,
    ) -> None:
        self._folder = folder.absolute()
        self._sockets = sockets.absolute()
        self._log_file_bytes = log_file_bytes
        self._start_timeout_seconds = start_timeout_seconds
        self._ready_timeout_seconds = ready_timeout_seconds
        self._end_timeout_seconds = end_timeout_seconds
        self._shims: dict[str, subprocess.Popen[bytes]] = {}  # our own children, to be reaped

    def start(self, replica_id: str, spec: ReplicaSpec) -> None:
        """Start it unless it was started before. Raises OSError when it cannot even be tried, and ValueError."""
        folder = self._folder_of(replica_id)
        _check(spec)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = lock.take(folder / layout.LOCK)
        if held is None:
            return  # its shim runs, or somebody else is starting it
        try:
            if not _was_started(folder):
                self._launch(replica_id, spec, held)
        finally:
            os.close(held)  # the shim keeps its copy

    def observe(self, replica_id: str) -> Observation:
        """How it is now. `reason` of a replica that is starting says what it is waiting for."""
        folder = self._folder_of(replica_id)
        self._reap(replica_id)
        if not folder.is_dir():
            return Observation(Phase.ABSENT)
        if lock.is_held(folder / layout.LOCK) and not Ending.read(folder):
            return self._observe_running(replica_id, folder)
        return self._observe_ended(folder)

    def replicas(self) -> list[str]:
        """The ids of all replicas that are not forgotten, running or not."""
        for replica_id in list(self._shims):
            self._reap(replica_id)
        with contextlib.suppress(FileNotFoundError):
            return sorted(path.name for path in self._folder.iterdir() if _REPLICA_ID.fullmatch(path.name))
        return []

    def stop(self, replica_id: str) -> None:
        """Ask it to end. Returns at once. Raises OSError when the wish could be passed on but not be kept."""
        folder = self._folder_of(replica_id)
        if not folder.is_dir() or Ending.read(folder):
            return
        try:
            # The mark first: should we die before the signal is sent, whoever observes the replica next sends it.
            (folder / layout.STOP).touch(mode=0o600)
        finally:
            _ask_to_end(folder)

    def forget(self, replica_id: str) -> None:
        """Remove what is left of an ended replica, except for its logs. Raises OSError, also while it runs."""
        folder = self._folder_of(replica_id)
        if not folder.is_dir():
            return
        held = lock.take_within(folder / layout.LOCK, timeout_seconds=self._end_timeout_seconds)
        if held is None:
            raise BlockingIOError(f"Replica {replica_id} still runs: stop it, and forget it once it has ended")
        try:
            self._observe_ended(folder)
            self.socket(replica_id).unlink(missing_ok=True)
            removal.remove(folder)
        finally:
            os.close(held)
        self._reap(replica_id)

    def socket(self, replica_id: str) -> Path:
        """The unix socket that it listens on."""
        self._folder_of(replica_id)
        return sockets.socket_in(self._sockets, replica_id)

    def logs(self, replica_id: str, *, start: datetime, end: datetime, newest_first: bool = False) -> Iterator[LogLine]:
        """Its lines between two moments, both included, also after it has ended."""
        return logs.read(self._log_of(replica_id), start=start, end=end, newest_first=newest_first)

    def forget_logs(self, replica_id: str) -> None:
        """Remove its logs."""
        logs.forget(self._log_of(replica_id))

    def _folder_of(self, replica_id: str) -> Path:
        if not _REPLICA_ID.fullmatch(replica_id):
            raise ValueError(f"{replica_id!r} is no replica id: 4 to 64 characters a-z and 0-9, a letter first")
        return self._folder / replica_id

    def _log_of(self, replica_id: str) -> Path:
        self._folder_of(replica_id)
        return self._folder / _LOGS / f"{replica_id}.log"

    def _launch(self, replica_id: str, spec: ReplicaSpec, held: int) -> None:
        folder = self._folder_of(replica_id)
        path = self.socket(replica_id)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._log_of(replica_id).parent.mkdir(mode=0o700, exist_ok=True)
        for name in (layout.HOME, layout.TEMPORARY):
            (folder / name).mkdir(mode=0o700, exist_ok=True)
        Memo(spec.ready_path).write(folder)
        order = Order(
            argv=[word.replace("{socket}", str(path)) for word in spec.argv],
            env=environment_of(spec, folder),
            log=str(self._log_of(replica_id)),
            log_file_bytes=self._log_file_bytes,
            lock=held,
            memory_bytes=spec.limits.memory_bytes,
            open_files=spec.limits.open_files,
            stop_grace_seconds=spec.stop_grace_seconds,
        )
        self._shims[replica_id] = launch(folder, order, timeout_seconds=self._start_timeout_seconds)

    def _observe_running(self, replica_id: str, folder: Path) -> Observation:
        state, memo = State.read(folder), Memo.read(folder)
        pid = state.program.pid if state else None
        if (folder / layout.STOP).exists():
            _ask_to_end(folder)
            return Observation(Phase.STOPPING, pid, asked=True)
        if memo is None or state is None:
            return Observation(Phase.STARTING, pid)
        path = self.socket(replica_id)
        reason = why_not_ready(path, memo.ready_path, timeout_seconds=self._ready_timeout_seconds)
        return Observation(Phase.STARTING if reason else Phase.READY, pid, reason)

    def _observe_ended(self, folder: Path) -> Observation:
        ending, state = Ending.read(folder), State.read(folder)
        asked = (folder / layout.STOP).exists()
        if ending is None and state is None:
            if asked:
                return Observation(Phase.EXITED, reason="stopped before it was started", asked=True)
            return Observation(Phase.ABSENT)  # who wanted to start it died before anything ran
        ending = ending or self._end_unwatched(folder, state)
        pid = state.program.pid if state else None
        return Observation(Phase.EXITED, pid, ending.reason, ending.exit_code, asked)

    def _end_unwatched(self, folder: Path, state: State | None) -> Ending:
        if state is not None:
            leftovers.end(state, folder, timeout_seconds=self._end_timeout_seconds)
        ending = Ending(None, _GONE)
        with contextlib.suppress(OSError):  # a full disk: then it is found out anew the next time
            ending.write(folder)
        return ending

    def _reap(self, replica_id: str) -> None:
        shim = self._shims.get(replica_id)
        if shim is not None and shim.poll() is not None:
            self._shims.pop(replica_id, None)


def _check(spec: ReplicaSpec) -> None:
    if not spec.argv:
        raise ValueError("A replica needs a program: argv is empty")
    if not _READY_PATH.fullmatch(spec.ready_path):
        raise ValueError(f"{spec.ready_path!r} is no path of a URL: it begins with / and holds no blanks")


def _was_started(folder: Path) -> bool:
    marks = (layout.STATE, layout.EXIT, layout.STOP)
    return any((folder / name).exists() for name in marks)


def _ask_to_end(folder: Path) -> None:
    state = State.read(folder)
    if state is not None and lock.is_held(folder / layout.LOCK):
        processes.send(state.shim, signal.SIGTERM)
