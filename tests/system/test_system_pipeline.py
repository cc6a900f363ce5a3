"""`mooring plan` and `mooring deploy` against a whole installation: a training, a server of its model, changes."""

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.prober import Prober
from tests.system.running_mooring import PROGRAM, RunningMooring, wait_until
from tests.system.team import SCENARIO, Team, repository, workflow

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is missing: apt-get install bubblewrap"),
]
TRAIN_PY = """
import os, pathlib, time
rows = pathlib.Path("/app/data/rows.txt").read_text()
print("learns", os.environ["EPOCHS"], "epochs from", rows, flush=True)
time.sleep(float(os.environ["SECONDS"]))
pathlib.Path("/app/model").mkdir(exist_ok=True)
pathlib.Path("/app/model/weights.txt").write_text(rows + " x " + os.environ["EPOCHS"])
"""
SERVE_PY = """
import http.server, os, pathlib

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        content = f"{os.environ['GREETING']} {pathlib.Path('/mnt/models/weights.txt').read_text()}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass

assert os.environ["GREETING"] != "broken", "greeting is broken"
print("serves", os.environ["GREETING"], flush=True)
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""
TRAIN = """
spec:
  entrypoint: main
  arguments:
    parameters:
      - {name: epochs}
      - {name: seconds, default: 0}
  templates:
    - name: main
      inputs: {artifacts: [{name: rows, path: /app/data}]}
      outputs:
        artifacts: [{name: weights, globalName: weights, path: /app/model, archive: {none: {}}}]
      container:
        image: team/project:1
        command: [python, /app/src/train.py]
        env:
          - {name: EPOCHS, value: "{{workflow.parameters.epochs}}"}
          - {name: SECONDS, value: "{{workflow.parameters.seconds}}"}
"""
SERVE = """
apiVersion: ai.sap.com/v1alpha1
kind: ServingTemplate
metadata:
  name: pipeline-serve
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
        minReplicas: 1
        maxReplicas: 1
        containers:
          - name: kserve-container
            image: team/project:1
            command: [python, /app/src/serve.py]
            readinessProbe: {httpGet: {path: /v1/ready, port: 8080}}
            env:
              - {name: GREETING, value: "{{inputs.parameters.greeting}}"}
              - {name: STORAGE_URI, value: "{{inputs.artifacts.weights}}"}
"""


def document(greeting: str = "hi", epochs: str = "3", **training: str) -> dict[str, Any]:
    """What is in the file."""
    parameters = [{"key": key, "value": value} for key, value in {"epochs": epochs, **training}.items()]
    return {
        "application": "team",
        "artifacts": [
            {"key": "rows", "name": "rows", "kind": "dataset", "url": "ai://default/rows", "scenario_id": SCENARIO}
        ],
        "executions": [
            {
                "configuration": {
                    "name": "training",
                    "scenario_id": SCENARIO,
                    "executable_id": "pipeline-train",
                    "parameter_bindings": parameters,
                    "input_artifact_bindings": [{"key": "rows"}],
                }
            }
        ],
        "deployments": [
            {
                "configuration": {
                    "name": "server",
                    "scenario_id": SCENARIO,
                    "executable_id": "pipeline-serve",
                    "parameter_bindings": [{"key": "greeting", "value": greeting}],
                    "input_artifact_bindings": [{"key": "weights"}],
                }
            }
        ],
    }


@dataclass
class Pipeline:
    """Its file, and the command."""

    mooring: RunningMooring
    file: Path

    def write(self, content: dict[str, Any]) -> None:
        self.file.write_text(json.dumps(content, indent=2))

    def run(self, command: str, *arguments: str, code: int) -> Any:
        """What it prints as JSON, after it has ended with this exit code."""
        done = self.mooring.run(command, str(self.file), "--json", *arguments, accepted=(code,))
        return json.loads(done.stdout)

    def deploy(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """The results by name."""
        result = self.run("deploy", *arguments, code=code)
        return {"written": result["written"]} | {each["name"]: each for each in result["results"]}

    def start(self) -> subprocess.Popen[str]:
        arguments = [PROGRAM, "deploy", str(self.file)]
        pipe = subprocess.PIPE
        # A shell that began us with & has Ctrl-C ignored, for all that we start, too.
        hears = ["env", "--default-signal=INT", *arguments]
        return subprocess.Popen(hears, env=self.mooring.environment, stdout=pipe, stderr=pipe, text=True)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("pipeline")
    (folder / "src").mkdir()
    (folder / "src" / "serve.py").write_text(SERVE_PY)
    (folder / "src" / "train.py").write_text(TRAIN_PY)
    settings = {
        "MOORING_GIT_FOLDERS": json.dumps([str(folder / "git")]),
        "MOORING_STAND_INS": json.dumps({"team/project": {"folder": str(folder / "src")}}),
        "MOORING_RUNTIME": "process",
        "MOORING_REPLICA_START_SECONDS": "15",
    }
    repo = repository(folder / "git" / "templates")
    repo.commit({"train.yaml": workflow("pipeline-train", TRAIN, rows_kind="dataset"), "serve.yaml": SERVE})
    with RunningMooring(folder / "home", settings) as running:
        team = Team(running, repo)
        team.onboard()
        team.file("rows/rows.txt", b"seven rows").raise_for_status()
        key = running.key
        running.environment |= {
            "DESTINATION_BASE_URL": key["uri"],
            "DESTINATION_AUTH_URL": key["url"],
            "DESTINATION_CLIENT_ID": key["clientid"],
            "DESTINATION_CLIENT_SECRET": key["clientsecret"],
        }
        made = Pipeline(running, folder / "config.json")
        made.write(document())
        yield made


def test_a_file_is_made_so_and_changed_and_survives_what_is_broken(pipeline: Pipeline) -> None:
    planned = pipeline.run("plan", code=2)
    assert [(each["action"], each["kind"]) for each in planned["steps"]] == [
        ("create", "artifact"),
        ("create", "configuration"),
        ("create", "execution"),
        ("create", "configuration"),
        ("create", "deployment"),
    ]
    done = pipeline.mooring.run("deploy", str(pipeline.file))
    assert "learns 3 epochs from seven rows" in done.stderr
    assert "serves hi" in done.stderr
    first = _server(pipeline)
    assert _says(pipeline, first) == "hi seven rows x 3"

    assert not pipeline.run("plan", code=0)["changes"]
    second = pipeline.deploy()
    assert (second["written"], second["server"]["action"]) == ([], "kept")

    pipeline.write(document("salve"))
    with Prober(first["url"], headers=pipeline.mooring.headers(), clients=2) as prober:
        changed = pipeline.deploy()
        assert (changed["training"]["action"], changed["server"]["action"]) == ("reused", "changed")
        assert (changed["server"]["id"], changed["server"]["url"]) == (first["id"], first["url"])
        assert _says(pipeline, first) == "salve seven rows x 3"

        pipeline.write(document("broken"))
        broken = pipeline.deploy(code=1)["server"]
        assert (broken["verdict"], broken["status"]) == ("failed", "DEAD")
        assert "greeting is broken" in broken["message"]
        assert _says(pipeline, first) == "salve seven rows x 3"
        assert "tried again" in str(pipeline.run("plan", code=2))

        pipeline.write(document("salve", "4"))
        assert pipeline.deploy()["server"]["verdict"] == "reached"
        assert _says(pipeline, first) == "salve seven rows x 4"
    assert not prober.failures, str(prober)


def test_a_training_that_takes_too_long_is_left_and_found_again(pipeline: Pipeline) -> None:
    pipeline.write(document(epochs="5", seconds="6"))
    late = pipeline.deploy("--timeout", "2", code=4)
    assert (late["training"]["verdict"], late["server"]["verdict"]) == ("timed out", "not begun")
    again = pipeline.deploy()
    assert again["training"]["action"] in ("followed", "reused")
    assert again["training"]["id"] == late["training"]["id"]


def test_ctrl_c_says_what_is_left(pipeline: Pipeline) -> None:
    pipeline.write(document(epochs="6", seconds="5"))
    running = pipeline.start()
    assert running.stderr
    said = iter(running.stderr)
    assert any("learns 6 epochs" in line for line in said)
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "training" in out
    assert "left" in out
    assert pipeline.deploy()["training"]["action"] in ("followed", "reused")


def test_a_destination_leads_to_what_runs(pipeline: Pipeline) -> None:
    content = document()
    content["deployments"][0]["destination_name"] = "PIPELINE"
    pipeline.write(content)
    assert pipeline.run("deploy", code=0)["destinations"] == ["PIPELINE"]
    assert pipeline.deploy()["written"] == []
    url = f"{pipeline.mooring.url}/destinations/PIPELINE/v1/ask"

    def answer() -> str:
        found = httpx.get(url, headers=pipeline.mooring.headers(), timeout=30)
        return found.text if found.status_code == 200 else ""

    assert wait_until(answer, what="an answer by way of the destination") == "hi seven rows x 3"


def test_wrong_input_is_refused_with_its_line(pipeline: Pipeline) -> None:
    wrong = document()
    wrong["deployments"][0]["configuration"]["parameter_binding"] = []
    pipeline.write(wrong)
    refused = pipeline.run("deploy", code=3)["problems"][0]
    assert refused["key"] == "deployments.0.configuration.parameter_binding"
    assert "parameter_bindings" in refused["message"]
    assert 'parameter_binding"' in pipeline.file.read_text().splitlines()[refused["line"] - 1]


def _server(pipeline: Pipeline) -> dict[str, Any]:
    return dict(pipeline.deploy()["server"])


def _says(pipeline: Pipeline, server: dict[str, Any]) -> str:
    def answer() -> str:
        return httpx.get(f"{server['url']}/v1/ask", headers=pipeline.mooring.headers(), timeout=30).text

    return str(wait_until(answer, what="an answer"))
