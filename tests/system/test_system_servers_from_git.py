"""Servers of a team, from its repository to answers under traffic: driven by the official SDK."""

import base64
import hashlib
import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ai_api_client_sdk.models.status import Status

from tests.prober import Prober
from tests.system.running_mooring import RunningMooring, wait_until
from tests.system.team import Team, repository

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is missing: apt-get install bubblewrap"),
]
CANARY = "c4n4ry-of-a-server"
CLIENTS = 2
SERVE_PY = """
import hashlib, http.server, json, os, pathlib, sys

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status = 200 if self.path == "/v1/ask" or self.path == os.environ["READY"] else 404
        model = pathlib.Path("/mnt/models/weights.txt")
        try:
            model.write_text("mine")
            written = True
        except OSError:
            written = False
        seen = {
            "who": WHO,
            "greeting": os.environ["GREETING"],
            "words": sys.argv[1:],
            "model": model.read_text(),
            "written": written,
            "secrets": [hashlib.sha256(os.environ[name].encode()).hexdigest() for name in ("ONE", "token")],
        }
        content = json.dumps(seen).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass

WHO = os.urandom(8).hex()
print("serves", os.environ["GREETING"], flush=True)
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""
TEMPLATE = """
apiVersion: ai.sap.com/v1alpha1
kind: ServingTemplate
metadata:
  name: server
  annotations: {scenarios.ai.sap.com/name: Project, artifacts.ai.sap.com/weights.kind: model}
  labels: {scenarios.ai.sap.com/id: team-project, ai.sap.com/version: "1"}
spec:
  inputs:
    parameters:
      - {name: greeting, default: hi}
      - {name: image, default: "team/server:1"}
      - {name: program, default: python}
      - {name: file, default: /app/src/serve.py}
      - {name: ready, default: /v1/ready}
      - {name: replicas, default: 1}
    artifacts: [{name: weights}]
  template:
    apiVersion: serving.kserve.io/v1beta1
    spec: |
      predictor:
        minReplicas: {{inputs.parameters.replicas}}
        maxReplicas: {{inputs.parameters.replicas}}
        containers:
          - name: kserve-container
            image: "{{inputs.parameters.image}}"
            command: ["{{inputs.parameters.program}}"]
            args: ["{{inputs.parameters.file}}", "two words"]
            readinessProbe: {httpGet: {path: "{{inputs.parameters.ready}}", port: 8080}}
            envFrom:
              - secretRef:
                name: team-secret
            env:
              - {name: GREETING, value: "{{inputs.parameters.greeting}}"}
              - {name: READY, value: /v1/ready}
              - {name: STORAGE_URI, value: "{{inputs.artifacts.weights}}"}
              - {name: ONE, valueFrom: {secretKeyRef: {name: team-secret, key: token}}}
"""
BROKEN = {
    "without a stand-in": ({"image": "team/nothing:1"}, "team/nothing:1"),
    "command not found": ({"program": "/no/such/program"}, "/no/such/program"),
    "exits at once": ({"file": "/app/src/nothing.py"}, "can't open file"),
    "is never ready": ({"ready": "/v1/never"}, "/v1/never"),
}


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("servers")
    (folder / "src").mkdir()
    (folder / "src" / "serve.py").write_text(SERVE_PY)
    settings = {
        "MOORING_GIT_FOLDERS": json.dumps([str(folder / "git")]),
        "MOORING_STAND_INS": json.dumps({"team/server": {"folder": str(folder / "src")}}),
        "MOORING_RUNTIME": "process",
        "MOORING_REPLICA_START_SECONDS": "15",
    }
    repo = repository(folder / "git" / "templates")
    repo.commit({"serve.yaml": TEMPLATE})
    with RunningMooring(folder / "home", settings) as running:
        team = Team(running, repo)
        team.onboard()
        data = {"token": base64.b64encode(CANARY.encode()).decode()}
        team.sdk.secrets.create("team-secret", data, ai_tenant_scope=False)
        team.file("models/one/weights.txt", b"w1").raise_for_status()
        yield team


@pytest.fixture(scope="module")
def weights(team: Team) -> str:
    return team.artifact("ai://default/models/one", "model")


@pytest.fixture(scope="module")
def deployment(team: Team, weights: str) -> Iterator[str]:
    """It runs, with two replicas."""
    created = team.sdk.deployment.create(server(team, weights))
    assert created.status is Status.UNKNOWN
    assert team.settle(created.id).status is Status.RUNNING, team.said(created.id, "deployments")
    yield created.id
    team.remove(created.id)


def server(team: Team, weights: str, **parameters: str) -> str:
    """A configuration."""
    return team.configure("server", {"replicas": "2", **parameters}, {"weights": weights})


def both(team: Team, deployment: str) -> set[str]:
    """Who answers, once that are two."""

    def answers() -> set[str]:
        return {team.ask(deployment)["who"] for _ in range(12)}

    found: set[str] = wait_until(lambda: (seen := answers()) and len(seen) == 2 and seen, what="two replicas")
    return found


def test_it_has_all_that_its_template_gives_it(team: Team, deployment: str) -> None:
    seen = team.ask(deployment)
    digest = hashlib.sha256(CANARY.encode()).hexdigest()
    assert (seen["greeting"], seen["words"], seen["secrets"]) == ("hi", ["two words"], [digest] * 2)
    assert (seen["model"], seen["written"]) == ("w1", False), "what it serves is read-only"
    shown = team.sdk.deployment.get(deployment)
    assert shown.deployment_url.endswith(f"/v2/inference/deployments/{deployment}")
    assert shown.submission_time <= shown.start_time
    lines = team.lines(deployment, "deployments")
    assert {line["container"] for line in lines} == {"kserve-container"}
    assert [line["msg"].rstrip() for line in lines] == ["serves hi"] * 2


def test_both_replicas_are_used_and_a_killed_one_is_replaced(team: Team, deployment: str) -> None:
    before = both(team, deployment)
    url = team.sdk.deployment.get(deployment).deployment_url
    with Prober(f"{url}/v1/ask", headers=team.mooring.headers(), clients=CLIENTS) as prober:
        prober.wait_for(10)
        os.kill(team.mooring.replica_pids()[0], signal.SIGKILL)
        after = wait_until(lambda: (seen := both(team, deployment)) != before and seen, what="a new one")
    assert len(after & before) == 1
    assert prober.failed <= CLIENTS, f"more than what it was answering was lost: {prober}"


def test_a_patch_under_traffic_loses_no_request(team: Team, deployment: str, weights: str) -> None:
    url = team.sdk.deployment.get(deployment).deployment_url
    with Prober(f"{url}/v1/ask", headers=team.mooring.headers(), clients=4) as prober:
        prober.wait_for(20)
        changed = team.change(deployment, server(team, weights, greeting="salve"))
        assert (changed.status, changed.deployment_url) == (Status.RUNNING, url)
        assert team.ask(deployment)["greeting"] == "salve"
        wait_until(lambda: len(team.mooring.replica_pids()) == 2, what="the end of the old ones")
        prober.wait_for(20)
    assert not prober.failures, str(prober)


def test_a_patch_to_a_broken_one_leaves_the_good_one(team: Team, deployment: str, weights: str) -> None:
    good = team.sdk.deployment.get(deployment).configuration_id
    greeting = team.ask(deployment)["greeting"]
    broken = server(team, weights, file="/app/src/nothing.py")
    changed = team.change(deployment, broken)
    assert (changed.status, changed.configuration_id) == (Status.DEAD, broken)
    assert changed.latest_running_configuration_id == good
    assert "can't open file" in changed.status_message
    assert team.ask(deployment)["greeting"] == greeting
    assert team.change(deployment, good).status is Status.RUNNING


@pytest.fixture(scope="module")
def dead(team: Team, weights: str) -> dict[str, Any]:
    """What each of the broken ones looks like in the end; all at the same time, because some take long to be sure."""
    made = {
        name: team.sdk.deployment.create(server(team, weights, replicas="1", **parameters)).id
        for name, (parameters, _) in BROKEN.items()
    }
    return {name: team.settle(id_) for name, id_ in made.items()}


@pytest.mark.parametrize("broken", BROKEN)
def test_one_that_cannot_start_is_dead_with_words(team: Team, dead: dict[str, Any], broken: str) -> None:
    assert dead[broken].status is Status.DEAD
    assert BROKEN[broken][1] in dead[broken].status_message


def test_a_secret_of_a_server_is_in_no_file_and_no_answer(team: Team, deployment: str, dead: dict[str, Any]) -> None:
    """Attack class 21."""
    for path in team.mooring.home.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path
    for id_ in (deployment, *(each.id for each in dead.values())):
        answers = [team.sdk.rest_client.get(path=f"/lm/deployments/{id_}{more}") for more in ("", "/logs")]
        assert CANARY not in json.dumps(answers)
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert CANARY.encode() not in line.read_bytes(), line
        except OSError:
            continue  # it has ended meanwhile
