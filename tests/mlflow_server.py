"""A real MLflow server for tests, and the few calls that make experiments, models and versions in it.

Models are made over REST with small files of our own: no training, no import of MLflow in the test's process.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from mooring.processes import ProcessId, identify, is_alive, stop

START_SECONDS = 180
_TRIES_TO_DELETE = 5
FILES = {"MLmodel": b"flavors: {}\n", "data/weights.bin": bytes(range(256)) * 64, "requirements.txt": b""}


@contextlib.contextmanager
def running_mlflow(folder: Path, port: int | None = None) -> Iterator["MlflowServer"]:
    """`mlflow server` with SQLite and its own artifacts in the folder; ended, with its children, afterwards."""
    port = port or free_port()
    process = _start(folder, port)
    try:
        server = MlflowServer(f"http://127.0.0.1:{port}", folder, process)
        server.wait_until_healthy()
        yield server
    finally:
        _end_session(process)


@dataclass(frozen=True)
class MlflowServer:
    """One running server."""

    url: str
    folder: Path
    process: ProcessId

    def wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not is_alive(self.process):
                break
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/health", timeout=2).status_code == 200:
                    return
            time.sleep(0.1)
        raise AssertionError(f"MLflow did not start:\n{(self.folder / 'server.log').read_text()[-4000:]}")

    def api(self, method: str, path: str, **body: object) -> dict[str, Any]:
        """One call; parameters of a GET, else the JSON body."""
        given: Any = {"params": body} if method == "GET" else {"json": body}
        answer = httpx.request(method, f"{self.url}/api/2.0/mlflow{path}", timeout=30, **given)
        assert answer.status_code == 200, f"{method} {path}: {answer.text}"
        return dict(answer.json())

    def new_model(self, prefix: str = "model") -> str:
        """A registered model of a name that no other test has."""
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        self.api("POST", "/registered-models/create", name=name)
        return name

    def delete_models(self) -> None:
        """All registered models, whoever made them."""
        for model in self.api("GET", "/registered-models/search").get("registered_models", []):
            self._delete(model["name"])

    def _delete(self, name: str) -> None:
        """MLflow refuses while somebody else (a builder) writes a tag of the model: then once more, as people do."""
        for _ in range(_TRIES_TO_DELETE):
            answer = httpx.request(
                "DELETE", f"{self.url}/api/2.0/mlflow/registered-models/delete", timeout=30, json={"name": name}
            )
            if "FOREIGN KEY" not in answer.text:
                break
        assert answer.status_code == 200, answer.text

    def new_version(self, name: str, tags: Mapping[str, str] | None = None, files: Mapping[str, bytes] = FILES) -> int:
        """A version with these files, logged and registered as `log_model` does it; its number."""
        model_id, _ = self.log_model(files)
        listed = [{"key": key, "value": value} for key, value in (tags or {}).items()]
        answer = self.api(
            "POST",
            "/model-versions/create",
            name=name,
            source=f"models:/{model_id}",
            model_id=model_id,
            tags=listed,
        )
        return int(answer["model_version"]["version"])

    def log_model(self, files: Mapping[str, bytes] = FILES, run_id: str = "") -> tuple[str, str]:
        """A logged model: its id and the path of its files at the artifact proxy."""
        body = {"experiment_id": "0", "name": "model", "source_run_id": run_id}
        info = self.api("POST", "/logged-models", **body)["model"]["info"]
        path = str(info["artifact_uri"]).removeprefix("mlflow-artifacts:/")
        for name, content in files.items():
            self.put_file(f"{path}/{name}", content)
        self.api(
            "PATCH",
            f"/logged-models/{info['model_id']}",
            model_id=info["model_id"],
            status="LOGGED_MODEL_READY",
        )
        return info["model_id"], path

    def new_run(self) -> tuple[str, str]:
        """A run: its id and the path of its files at the artifact proxy."""
        info = self.api("POST", "/runs/create", experiment_id="0", start_time=0)["run"]["info"]
        return info["run_id"], str(info["artifact_uri"]).removeprefix("mlflow-artifacts:/")

    def put_file(self, path: str, content: bytes) -> None:
        address = f"{self.url}/api/2.0/mlflow-artifacts/artifacts/{path}"
        httpx.put(address, content=content, timeout=30).raise_for_status()

    def set_tag(self, name: str, version: int, key: str, value: str) -> None:
        self.api("POST", "/model-versions/set-tag", name=name, version=str(version), key=key, value=value)

    def delete_tag(self, name: str, version: int, key: str) -> None:
        self.api("DELETE", "/model-versions/delete-tag", name=name, version=str(version), key=key)

    def set_alias(self, name: str, version: int, alias: str) -> None:
        self.api("POST", "/registered-models/alias", name=name, version=str(version), alias=alias)

    def version_tags(self, name: str, version: int) -> dict[str, str]:
        answer = self.api("GET", "/model-versions/get", name=name, version=str(version))
        return {tag["key"]: tag.get("value", "") for tag in answer["model_version"].get("tags", [])}

    def model_tags(self, name: str) -> dict[str, str]:
        answer = self.api("GET", "/registered-models/get", name=name)
        return {tag["key"]: tag.get("value", "") for tag in answer["registered_model"].get("tags", [])}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _start(folder: Path, port: int) -> ProcessId:
    folder.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    argv += ["--workers", "1", "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    argv += ["--artifacts-destination", str(folder / "artifacts")]
    webhooks = {
        "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
        "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
        "MLFLOW_WEBHOOK_CACHE_TTL": "1",  # seconds until a new webhook is known to the deliverer
    }
    with (folder / "server.log").open("ab") as log:
        child = subprocess.Popen(argv, stdout=log, stderr=log, env={**os.environ, **webhooks}, start_new_session=True)
    child.returncode = 0  # ended by its session below, not by Popen
    process = identify(child.pid)
    assert process, "MLflow ended at once"
    return process


def _end_session(leader: ProcessId) -> None:
    """The server and the workers that it started: all processes of its session."""
    members = [process for pid in _session_members(leader.pid) if (process := identify(pid))]
    for process in [leader, *members]:
        stop(process, grace_seconds=1)


def _session_members(session: int) -> list[int]:
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                members.append(int(stat.parent.name))
    return members
