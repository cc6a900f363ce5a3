"""An MLflow server of our own (`mooring up --with-mlflow`), which outlives the control plane."""

import os
import shutil
import socket
import sys
import time
from pathlib import Path

import httpx

from mooring import processes
from mooring.home import Home
from mooring.processes import ProcessId
from mooring.system.errors import CannotStart

_POLL_SECONDS = 0.1
_LEFTOVERS_SECONDS = 2.0
_OUR_PREFIXES = ("MOORING_", "MLFLOW_", "AICORE_", "DESTINATION_")


class MlflowServer:
    """Tracking server, registry and artifact proxy on loopback, with everything it keeps below the home."""

    def __init__(self, home: Home) -> None:
        self._folder = home.mlflow
        self._record = home.mlflow_record
        self._log = home.logs / "mlflow.log"

    @property
    def log(self) -> Path:
        return self._log

    def start(self) -> None:
        """Adopt the one that runs, or start one where it was before; does not wait for it. Raises CannotStart."""
        if self.process() is not None:
            return
        self.stop(grace_seconds=_LEFTOVERS_SECONDS)  # workers may have outlived the one that was killed
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        port = self._port()
        process = processes.spawn_detached(self._command(port), log=self._log, env=_environment(), cwd=self._folder)
        processes.write_record(self._record, process, port=port)

    def wait_until_ready(self, timeout_seconds: float) -> None:
        """Raises CannotStart when it has not answered by then, or has ended."""
        deadline = time.monotonic() + timeout_seconds
        while not self._answers():
            if self.process() is None:
                raise CannotStart(f"the MLflow server has ended; see {self._log}")
            if time.monotonic() > deadline:
                raise CannotStart(f"the MLflow server does not answer after {timeout_seconds:g} s; see {self._log}")
            time.sleep(_POLL_SECONDS)

    @property
    def url(self) -> str:
        """Its address. Raises CannotStart when it was never started."""
        record = processes.read_record(self._record)
        if record is None:
            raise CannotStart("the MLflow server has not been started")
        return f"http://127.0.0.1:{record[1]['port']}"

    def process(self) -> ProcessId | None:
        return processes.running(self._record)

    def stop(self, *, grace_seconds: float) -> None:
        """End it and its workers."""
        record = processes.read_record(self._record)
        if record:
            processes.stop_session(record[0], grace_seconds=grace_seconds)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=2, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def _port(self) -> int:
        record = processes.read_record(self._record)
        kept = int(str(record[1]["port"])) if record else 0
        return kept if kept and _is_free(kept) else _free_port()

    def _command(self, port: int) -> list[str]:
        program = shutil.which("mlflow", path=str(Path(sys.executable).parent)) or "mlflow"
        return [
            program,
            "server",
            *("--host", "127.0.0.1"),
            *("--port", str(port)),
            *("--workers", "1"),
            # A line per request, and the builder asks every two seconds: nobody rotates this log.
            *("--uvicorn-opts", "--no-access-log --log-level warning"),
            *("--backend-store-uri", f"sqlite:///{self._folder / 'mlflow.db'}"),
            *("--artifacts-destination", str(self._folder / "artifacts")),
        ]


def _environment() -> dict[str, str]:
    """Ours without what belongs to other parts. Webhooks to this machine are allowed: the builder receives them.

    MLflow's job workers are off: nine processes and a gigabyte, for evaluations that a registry does not need.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OUR_PREFIXES)}
    return {
        **inherited,
        "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
        "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
