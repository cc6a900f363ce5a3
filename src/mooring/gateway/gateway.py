"""The gateway as the controllers know it."""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from mooring import processes
from mooring.domain.rollouts import Answers
from mooring.files import write_atomically
from mooring.gateway.admin import Admin
from mooring.gateway.envoy import EnvoyProcess
from mooring.gateway.envoy_log import EnvoyLog
from mooring.gateway.errors import GatewayError
from mooring.gateway.listener import listeners_document
from mooring.gateway.options import GatewayOptions
from mooring.gateway.publication import ConfigurationFile, publication
from mooring.gateway.routes import Routes
from mooring.gateway.statistics import Traffic, read_answers, read_statistics
from mooring.gateway.versions import read_versions
from mooring.gateway.xds import CLUSTER, document, version_of
from mooring.processes import ProcessId

_POLL_SECONDS = 0.01
_ADMIN_SECONDS = 5.0
_REPLACEMENT_GRACE_SECONDS = 2.0
"""Requests that run may end before another Envoy takes the port; nobody can connect meanwhile."""

_LEAST_GRACE_SECONDS = 1.0

_NO_CLUSTERS = document(CLUSTER, [])


class Gateway:
    """One Envoy: kept running, told its routes, asked for its numbers. Safe to use from several threads."""

    def __init__(self, options: GatewayOptions) -> None:
        self._options = options
        self._admin = Admin(options.admin_socket, timeout_seconds=min(_ADMIN_SECONDS, options.start_seconds))
        self._envoy = EnvoyProcess(options, self._admin)
        self._lock = threading.Lock()
        self._applied: tuple[Routes, tuple[int, ...]] | None = None

    def ensure_running(self) -> ProcessId:
        """Adopt the Envoy of this home if it runs as wanted, else (re)start it; returns once it takes requests.

        One that runs but does not answer any more is replaced, too.
        A changed listener (port, keys, limits) is taken over without a restart. Raises GatewayError, in one line
        with Envoy's own reason, when it does not come up within `start_seconds`.
        """
        with self._exclusive():
            process = self._envoy.running()
            if process and not (self._envoy.is_as_wanted() and self._answers(process)):
                self._end(process, grace_seconds=_REPLACEMENT_GRACE_SECONDS)
                process = None
            listeners = self._listeners()
            if process:
                self._publish(process, listeners)
                return process
            return self._start(listeners)

    def use_key_set(self, key_set: bytes) -> None:
        """From now on accept the tokens that these keys have signed. Raises GatewayError."""
        self._options = replace(self._options, key_set=key_set)
        self.ensure_running()

    def apply(self, routes: Routes) -> None:
        """Make these the routes; returns once Envoy routes by them. Nothing happens when they are in use already.

        Raises GatewayError when Envoy does not run, or has not taken them over within `start_seconds`; it then
        goes on with what it had, and the same call may be made again.
        """
        with self._exclusive():
            process = self._envoy.running()
            if process is None:
                raise GatewayError("the gateway does not run: no route can be changed; start it first")
            if self._applied == (routes, self._marks()):
                return
            self._applied = None
            for file in publication(self._options, routes, _content(self._options.clusters_file) or _NO_CLUSTERS):
                self._publish(process, file)
            self._applied = routes, self._marks()

    def statistics(self) -> Mapping[str, Traffic]:
        """What each deployment has been asked, by its id. Raises GatewayError when Envoy does not answer."""
        return read_statistics(self._admin)

    def answers(self, deployment_id: str, counted_as: str) -> Answers:
        """What was counted apart (see `DeploymentRoute`). Raises GatewayError when Envoy does not answer."""
        return read_answers(self._admin, deployment_id, counted_as)

    def is_alive(self) -> bool:
        """Whether Envoy runs and takes requests."""
        return self._envoy.running() is not None and self._admin.is_live()

    def stop(self, grace_seconds: float) -> None:
        """Take no new connections, let requests that run finish within the grace, then end Envoy."""
        with self._exclusive():
            if process := self._envoy.running():
                self._end(process, grace_seconds=grace_seconds)
            self._envoy.forget()

    def _start(self, listeners: ConfigurationFile) -> ProcessId:
        # Whatever was routed last is routed again at once: nobody has to wait for the control plane.
        for file in publication(self._options, Routes(), _NO_CLUSTERS):
            if not file.path.exists():
                write_atomically(file.path, file.content)
        with _written(listeners):
            log = EnvoyLog(self._options.log)
            process = self._envoy.start()
            try:
                self._await(process, "start", log, lambda: self._started(listeners, log))
            except GatewayError:
                self._end(process, grace_seconds=0)
                self._envoy.forget()
                raise
        return process

    def _started(self, listeners: ConfigurationFile, log: EnvoyLog) -> bool:
        return self._admin.is_live() and self._has(listeners, log, refused_before=0)

    def _publish(self, process: ProcessId, file: ConfigurationFile) -> None:
        before = read_versions(self._admin)
        if before.in_use.get(file.source) == version_of(file.content) and _content(file.path) == file.content:
            return
        log, refused = EnvoyLog(self._options.log), before.refused.get(file.source, 0)
        with _written(file):
            what = f"take over {file.path.name}"
            self._await(process, what, log, lambda: self._has(file, log, refused_before=refused))

    def _answers(self, process: ProcessId) -> bool:
        """Whether it is live, or becomes so in time (it may have been started a moment ago)."""
        try:
            self._await(process, "answer", EnvoyLog(self._options.log), self._admin.is_live)
        except GatewayError:
            return False
        return True

    def _has(self, file: ConfigurationFile, log: EnvoyLog, *, refused_before: int) -> bool:
        versions = read_versions(self._admin)
        if versions.refused.get(file.source, 0) > refused_before:
            raise log.explain(f"Envoy refuses {file.path.name}")
        return versions.in_use.get(file.source) == version_of(file.content)

    def _await(self, process: ProcessId, what: str, log: EnvoyLog, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self._options.start_seconds
        while not condition():
            if not processes.is_alive(process):
                raise log.explain(f"Envoy ended while it was to {what}")
            if time.monotonic() >= deadline:
                raise log.explain(f"Envoy did not {what} within {self._options.start_seconds:g} s")
            time.sleep(_POLL_SECONDS)

    def _end(self, process: ProcessId, *, grace_seconds: float) -> None:
        deadline = time.monotonic() + grace_seconds
        if grace_seconds > 0:
            self._drain(process, deadline)
        processes.stop(process, grace_seconds=max(_LEAST_GRACE_SECONDS, deadline - time.monotonic()))

    def _drain(self, process: ProcessId, deadline: float) -> None:
        try:
            self._admin.stop_listening()
            while time.monotonic() < deadline and processes.is_alive(process) and self._active_requests():
                time.sleep(_POLL_SECONDS)
        except GatewayError:
            return  # it has ended, or hangs: there is nobody to wait for

    def _active_requests(self) -> int:
        answer = self._admin.stats(r"^http\.ingress\.downstream_rq_active$").decode()
        return int(answer.rpartition(": ")[2] or 0)

    def _marks(self) -> tuple[int, ...]:
        """Others when somebody else has written the files since: another control plane of the same store, say."""
        files = (self._options.clusters_file, self._options.routes_file)
        return tuple(mark for file in files if file.exists() for mark in _marks_of(file.stat()))

    def _listeners(self) -> ConfigurationFile:
        return ConfigurationFile("lds", self._options.listeners_file, listeners_document(self._options))

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """One change at a time, also when a second control plane starts in the same home."""
        with self._lock:
            for folder in (self._options.directory, self._options.inside_socket.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (self._options.directory / "lock").open("w") as file:
                self._take(file)
                yield

    def _take(self, lock: IO[str]) -> None:
        deadline = time.monotonic() + 2 * self._options.start_seconds
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    reason = f"somebody else has been changing the gateway for too long (lock {lock.name})"
                    raise GatewayError(f"{reason}; end the other control plane of this home") from None
                time.sleep(_POLL_SECONDS)
            else:
                return


def _marks_of(file: os.stat_result) -> tuple[int, int]:
    return file.st_ino, file.st_mtime_ns


@contextmanager
def _written(file: ConfigurationFile) -> Iterator[None]:
    """Write the file; when Envoy then does not take it over, put back what was there.

    An Envoy that starts later would otherwise meet what this one refused, and not start.
    """
    before = _content(file.path)
    write_atomically(file.path, file.content)
    try:
        yield
    except GatewayError:
        if before is None:
            file.path.unlink()
        else:
            write_atomically(file.path, before)
        raise


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
