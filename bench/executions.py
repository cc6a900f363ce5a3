"""What it costs to run a team's own containers: an empty step, steps in a row, many at once, a server."""

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx

from bench.system import MeasuredInstallation, seconds_until
from bench.tables import Row, print_table

_RUNS = 7
_STEPS = 10
_QUEUED = 100
_IMAGE = "registry.example.com/bench:1"
_EVERY_SECONDS = 0.01
_HEAD = """apiVersion: {version}
kind: {kind}
metadata:
  name: {name}
  labels: {{scenarios.ai.sap.com/id: bench, ai.sap.com/version: "1"}}
"""
_EMPTY = f"""spec:
  entrypoint: main
  templates:
    - name: main
      container: {{image: "{_IMAGE}", command: ["true"]}}
"""
_ROW = f"""spec:
  entrypoint: main
  templates:
    - name: main
      steps: [{", ".join(f"[{{name: s{n}, template: empty}}]" for n in range(_STEPS))}]
    - name: empty
      container: {{image: "{_IMAGE}", command: ["true"]}}
"""
_SERVER = f"""spec:
  template:
    spec: |
      predictor:
        containers:
          - image: "{_IMAGE}"
            command: ["python3", "/app/src/server.py"]
            readinessProbe: {{httpGet: {{path: /v2/ready, port: 8080}}}}
"""
_TEMPLATES = {
    "bench-empty": ("argoproj.io/v1alpha1", "WorkflowTemplate", _EMPTY),
    "bench-steps": ("argoproj.io/v1alpha1", "WorkflowTemplate", _ROW),
    "bench-server": ("ai.sap.com/v1alpha1", "ServingTemplate", _SERVER),
}
_PROGRAM = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *args):
        pass

ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""


def main() -> None:
    """Everything in one installation, on the process runtime: a folder stands in for the image."""
    with tempfile.TemporaryDirectory(prefix="mooring-bench-") as folder:
        repository = _repository(Path(folder))
        image = Path(folder) / "image"
        image.mkdir()
        (image / "server.py").write_text(_PROGRAM)
        os.environ["MOORING_GIT_FOLDERS"] = json.dumps([str(repository)])
        mooring = MeasuredInstallation(Path(folder) / "home", "--stand-in", f"{_IMAGE}={image}")
        mooring.up()
        try:
            api = Api(mooring)
            api.onboard(repository)
            print_table("Containers of a team's own, on the process runtime", *_rows(api))
        finally:
            mooring.down()
            del os.environ["MOORING_GIT_FOLDERS"]


class Api:
    """The calls that are timed."""

    def __init__(self, mooring: MeasuredInstallation) -> None:
        headers = {**mooring.headers(), "AI-Resource-Group": "default"}
        self._http = httpx.Client(base_url=f"{mooring.url}/v2", headers=headers, timeout=60)

    def onboard(self, repository: Path) -> None:
        """The templates of a repository become executables."""
        application = {"repositoryUrl": str(repository), "revision": "main", "path": ".", "applicationName": "bench"}
        body = {"name": "bench", "url": str(repository), "username": "", "password": ""}
        self._http.post("/admin/repositories", json=body).raise_for_status()
        self._http.post("/admin/applications", json=application).raise_for_status()
        seconds_until(lambda: self.get("/admin/applications/bench/status").get("syncStatus") == "Synced")

    def get(self, path: str) -> dict[str, Any]:
        return dict(self._http.get(path).raise_for_status().json())

    def configuration(self, executable: str) -> str:
        body = {"name": executable, "scenarioId": "bench", "executableId": executable}
        return str(self._http.post("/lm/configurations", json=body).raise_for_status().json()["id"])

    def create(self, kind: str, configuration: str) -> str:
        answer = self._http.post(f"/lm/{kind}", json={"configurationId": configuration}).raise_for_status()
        return f"/lm/{kind}/{answer.json()['id']}"

    def wait(self, path: str, status: str) -> None:
        """Raises RuntimeError when it fails instead."""
        while (found := self.get(path))["status"] != status:
            if found["status"] == "DEAD":
                raise RuntimeError(f"{path} is DEAD: {found.get('statusMessage')}")
            time.sleep(_EVERY_SECONDS)

    def stop(self, path: str) -> None:
        self._http.patch(path, json={"targetStatus": "STOPPED"}).raise_for_status()
        self.wait(path, "STOPPED")

    def answer(self, deployment: str) -> None:
        path = f"/inference/deployments/{deployment.rpartition('/')[2]}/v2/ready"
        self._http.get(path).raise_for_status()


def _rows(api: Api) -> list[Row]:
    empty, steps, server = (api.configuration(name) for name in _TEMPLATES)
    api.wait(api.create("executions", empty), "COMPLETED")  # warm
    one = [_timed(lambda: _execute(api, empty)) for _ in range(_RUNS)]
    row = [_timed(lambda: _execute(api, steps)) for _ in range(_RUNS)]
    bare = [_timed(lambda: subprocess.run(["true"], check=True)) for _ in range(_RUNS)]
    per_step = statistics.median(row) / _STEPS - statistics.median(bare)
    began = time.perf_counter()
    queued = [api.create("executions", empty) for _ in range(_QUEUED)]
    accepted = time.perf_counter() - began
    for path in queued:
        api.wait(path, "COMPLETED")
    through = time.perf_counter() - began
    running = [_timed(lambda: _deploy(api, server)) for _ in range(_RUNS)]
    return [
        Row("create → COMPLETED, one empty step", _spread(one), f"median of {_RUNS}"),
        Row("overhead per step over the bare process", f"{per_step * 1000:.0f} ms", f"{_STEPS} steps in a row"),
        Row(f"{_QUEUED} executions queued, all accepted", f"{accepted:.2f} s", ""),
        Row(f"{_QUEUED} executions queued, all COMPLETED", f"{through:.1f} s", f"{os.cpu_count()} cores"),
        Row("create → RUNNING and answering, a server of the user's own", _spread(running), f"median of {_RUNS}"),
    ]


def _execute(api: Api, configuration: str) -> None:
    api.wait(api.create("executions", configuration), "COMPLETED")


def _deploy(api: Api, configuration: str) -> Callable[[], None]:
    path = api.create("deployments", configuration)
    api.wait(path, "RUNNING")
    api.answer(path)
    return lambda: api.stop(path)


def _timed(work: Callable[[], object]) -> float:
    """Seconds of the work; what it returns is called afterwards, to clean up."""
    began = time.perf_counter()
    clean_up = work()
    seconds = time.perf_counter() - began
    if callable(clean_up):
        clean_up()
    return seconds


def _repository(folder: Path) -> Path:
    repository = folder / "templates"
    repository.mkdir()
    for name, (version, kind, spec) in _TEMPLATES.items():
        (repository / f"{name}.yaml").write_text(_HEAD.format(version=version, kind=kind, name=name) + spec)
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")
    _git(repository, "init", "--quiet", "--initial-branch=main")
    _git(repository, "add", "--all")
    _git(repository, *identity, "commit", "--quiet", "--message", "templates")
    return repository


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, timeout=60)


def _spread(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


if __name__ == "__main__":
    main()
