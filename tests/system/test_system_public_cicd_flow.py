"""The public CI/CD scripts' order of calls, with both generations of the official SDK, against a whole installation."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.clients.environments import CHECKOUT, python_with
from tests.system.releases import credentials
from tests.system.running_mooring import RunningMooring
from tests.system.team import Team, repository, workflow

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is missing: apt-get install bubblewrap"),
]
_MOST_SECONDS = 110
TRAIN_PY = """
import os, pathlib
print("learns", os.environ["GREETING"], "from", pathlib.Path("/app/data/rows.txt").read_text(), flush=True)
pathlib.Path("/app/model").mkdir(exist_ok=True)
pathlib.Path("/app/model/weights.txt").write_text("weights")
"""
SERVE_PY = """
import http.server, json, os, pathlib

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        content = json.dumps({"greeting": os.environ["GREETING"]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass

print("serves", pathlib.Path("/mnt/models/weights.txt").read_text(), flush=True)
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""
TRAIN = """
spec:
  entrypoint: main
  arguments: {parameters: [{name: greeting}]}
  templates:
    - name: main
      inputs: {artifacts: [{name: rows, path: /app/data}]}
      outputs:
        artifacts: [{name: weights, globalName: weights, path: /app/model, archive: {none: {}}}]
      container:
        image: team/flow:1
        command: [python, /app/src/train.py]
        env: [{name: GREETING, value: "{{workflow.parameters.greeting}}"}]
"""
SERVE = """
apiVersion: ai.sap.com/v1alpha1
kind: ServingTemplate
metadata:
  name: flow-serve
  annotations: {scenarios.ai.sap.com/name: Project, artifacts.ai.sap.com/weights.kind: model}
  labels: {scenarios.ai.sap.com/id: team-project, ai.sap.com/version: "1"}
spec:
  inputs:
    parameters: [{name: greeting, default: hi}]
    artifacts: [{name: weights}]
  template:
    apiVersion: serving.kserve.io/v1beta1
    spec: |
      predictor:
        containers:
          - name: kserve-container
            image: team/flow:1
            command: [python, /app/src/serve.py]
            env:
              - {name: GREETING, value: "{{inputs.parameters.greeting}}"}
              - {name: STORAGE_URI, value: "{{inputs.artifacts.weights}}"}
"""


@dataclass
class Scripts:
    """Of one team."""

    mooring: RunningMooring

    def run(self, generation: int, greeting: str) -> dict[str, Any]:
        """What the scripts have found."""
        environment = credentials(self.mooring.run("env").stdout)
        environment |= {"GROUP": f"flow-{generation}", "APPLICATION": "team", "GREETING": greeting}
        done = subprocess.run(
            [python_with(f"sdk{generation}"), "-m", "tests.system.public_flow"],
            cwd=CHECKOUT,
            env={**environment, "HOME": str(self.mooring.home), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=_MOST_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripts]:
    folder = tmp_path_factory.mktemp("public-flow")
    (folder / "src").mkdir()
    (folder / "src" / "serve.py").write_text(SERVE_PY)
    (folder / "src" / "train.py").write_text(TRAIN_PY)
    settings = {
        "MOORING_GIT_FOLDERS": json.dumps([str(folder / "git")]),
        "MOORING_STAND_INS": json.dumps({"team/flow": {"folder": str(folder / "src")}}),
        "MOORING_RUNTIME": "process",
    }
    repo = repository(folder / "git" / "templates")
    repo.commit({"train.yaml": workflow("flow-train", TRAIN, rows_kind="dataset"), "serve.yaml": SERVE})
    with RunningMooring(folder / "home", settings) as running:
        Team(running, repo).onboard()
        yield Scripts(running)


@pytest.mark.parametrize("generation", [2, 3])
def test_the_scripts_run_and_run_again(generation: int, scripts: Scripts) -> None:
    group = f"flow-{generation}"
    _rows(scripts.mooring, group)
    first = scripts.run(generation, "hello")
    assert first["deployments_before"] == []
    assert [line.strip() for line in first["training"]] == ["learns hello from seven rows"]
    assert [line.strip() for line in first["server"]] == ["serves weights"]
    assert first["destination"] == [[201], [409, 200]]
    assert first["status_after_patch"] != "RUNNING", "or waiting would end before the new version is live"
    assert set(first["answers"]) == {"hello", "changed"}
    assert (first["answers"][0], first["answers"][-1]) == ("hello", "changed")
    assert _through_the_destination(scripts.mooring, group) == "changed"

    again = scripts.run(generation, "hello")
    assert again["deployments_before"] == [first["deployment"]]
    assert again["configurations"][0] == first["configurations"][0], "found again by what it says"
    assert again["configurations"][1] != first["configurations"][1], "other weights"
    assert _through_the_destination(scripts.mooring, group) == "changed"


def _rows(mooring: RunningMooring, group: str) -> None:
    with mooring.client() as client:
        client.resource_groups.create(group)
    headers = {**mooring.headers(), "AI-Resource-Group": group}
    url = f"{mooring.url}/v2/lm/dataset/files/default/rows/rows.txt"
    httpx.put(url, content=b"seven rows", headers=headers, timeout=60).raise_for_status()


def _through_the_destination(mooring: RunningMooring, name: str) -> str:
    """Without a resource group, which those scripts do not set."""
    url = f"{mooring.url}/destinations/{name}/v2/hello/"
    return str(httpx.post(url, headers=mooring.headers(), timeout=60).raise_for_status().json()["greeting"])
