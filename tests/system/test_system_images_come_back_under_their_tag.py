"""A team on podman: an image that is made again under its tag; stops, errors and accidents as the SDK sees them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from ai_api_client_sdk.models.status import Status
from ai_api_client_sdk.models.target_status import TargetStatus

from tests import podman
from tests.prober import Prober
from tests.system.running_mooring import RunningMooring, wait_until
from tests.system.team import Team, repository, workflow

pytestmark = pytest.mark.slow
TAG = "localhost/mooring-tests-tagged:1"
SERVE_PY = """
import http.server, json, pathlib

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        content = json.dumps({"release": RELEASE, "model": pathlib.Path("/mnt/models/made").read_text()}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass

RELEASE = pathlib.Path("/app/src/release").read_text()
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""
SERVER = f"""
apiVersion: ai.sap.com/v1alpha1
kind: ServingTemplate
metadata:
  name: server
  labels: {{scenarios.ai.sap.com/id: team-project, ai.sap.com/version: "1"}}
  annotations: {{artifacts.ai.sap.com/made.kind: model}}
spec:
  inputs:
    parameters: [{{name: round, default: "1"}}, {{name: image, default: "{TAG}"}}]
    artifacts: [{{name: made}}]
  template:
    spec: |
      predictor:
        containers:
          - name: kserve-container
            image: "{{{{inputs.parameters.image}}}}"
            command: [python3, /app/src/serve.py]
            env:
              - {{name: ROUND, value: "{{{{inputs.parameters.round}}}}"}}
              - {{name: STORAGE_URI, value: "{{{{inputs.artifacts.made}}}}"}}
"""
TRAIN = f"""
spec:
  entrypoint: main
  arguments: {{parameters: [{{name: seconds, default: "0"}}]}}
  templates:
    - name: main
      inputs: {{artifacts: [{{name: rows, path: /app/data}}]}}
      outputs: {{artifacts: [{{name: made, path: /tmp/made, globalName: made, archive: {{none: {{}}}}}}]}}
      container:
        image: {TAG}
        command: [/bin/sh, -c]
        args: ["echo begins; /bin/sleep {{{{workflow.parameters.seconds}}}}; /bin/cat /app/data/rows.txt > /tmp/made"]
"""


@contextmanager
def tagged(folder: Path, release: str) -> Iterator[str]:
    """The tag names an image with this release, until the next one takes it over; gives the image's own name."""
    folder.mkdir()
    (folder / "serve.py").write_text(SERVE_PY)
    (folder / "release").write_text(release)
    image = podman.image_with(folder, "/app/src")
    podman.podman("tag", image, TAG)
    try:
        yield image
    finally:
        podman.podman("rmi", "--force", image)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    if podman.client() is None:
        pytest.skip(podman.SKIPPED)
    folder = tmp_path_factory.mktemp("tagged")
    settings = {
        "MOORING_GIT_FOLDERS": json.dumps([str(folder / "git")]),
        "MOORING_RUNTIME": "container",
        "MOORING_CONTAINER_ENGINE": "podman",
        "MOORING_CONTAINER_ENGINE_OPTIONS": json.dumps(podman.create_options()),
        "MOORING_JOBS_AT_ONCE": "2",
    }
    repo = repository(folder / "git" / "templates")
    repo.commit({"server.yaml": SERVER, "train.yaml": workflow("train", TRAIN, rows_kind="dataset")})
    with tagged(folder / "one", "first"), RunningMooring(folder / "home", settings) as running:
        team = Team(running, repo)
        team.onboard()
        team.file("rows/rows.txt", b"w1").raise_for_status()
        yield team


@pytest.fixture(scope="module")
def rows(team: Team) -> str:
    return team.artifact("ai://default/rows")


@pytest.fixture(scope="module")
def trained(team: Team, rows: str) -> Any:
    return team.run("train", inputs={"rows": rows})


def configure(team: Team, trained: Any, **parameters: str) -> str:
    return team.configure("server", parameters, {"made": trained.output_artifacts[0].id})


def test_a_patch_takes_what_the_tag_names_by_then(team: Team, trained: Any, tmp_path: Path) -> None:
    deployment = team.sdk.deployment.create(configure(team, trained)).id
    assert team.settle(deployment).status is Status.RUNNING, team.sdk.deployment.get(deployment).status_message
    assert team.ask(deployment) == {"release": "first", "model": "w1"}
    url = team.sdk.deployment.get(deployment).deployment_url
    with tagged(tmp_path / "two", "second"):
        with Prober(f"{url}/v1/ask", headers=team.mooring.headers(), clients=2) as prober:
            prober.wait_for(10)
            assert team.change(deployment, configure(team, trained, round="2")).status is Status.RUNNING
            assert team.ask(deployment) == {"release": "second", "model": "w1"}
            wait_until(lambda: len(team.mooring.replica_pids()) == 1, what="the end of the old one")
            prober.wait_for(10)
        assert not prober.failures, str(prober)
        broken = configure(team, trained, image="localhost/mooring-tests-nothing:1")
        changed = team.change(deployment, broken)
        assert (changed.status, changed.configuration_id) == (Status.DEAD, broken)
        assert "localhost/mooring-tests-nothing:1" in changed.status_message
        assert team.ask(deployment)["release"] == "second"
        assert team.change(deployment, configure(team, trained, round="3")).status is Status.RUNNING
        team.remove(deployment)


def test_a_stop_ends_the_container_of_an_execution(team: Team, rows: str) -> None:
    execution = team.start("train", {"seconds": "600"}, {"rows": rows})
    wait_until(lambda: team.said(execution) == ["begins"], what="its logs while it runs")
    assert len(containers(team)) == 1
    team.sdk.execution.modify(execution, TargetStatus.STOPPED)
    assert team.finish(execution).status is Status.STOPPED
    # The OCI runtime may say in its own words, which begin so, that what it was to end has ended.
    assert [line for line in team.said(execution) if not line.startswith('time="')] == ["begins"]
    wait_until(lambda: not containers(team), what="the end of its container")
    team.delete(execution)


def test_a_container_outlives_the_control_plane(team: Team, rows: str) -> None:
    execution = team.start("train", {"seconds": "3"}, {"rows": rows})
    wait_until(lambda: team.said(execution) == ["begins"], what="its start")
    team.mooring.kill("control-plane")
    team.mooring.up()
    done = team.finish(execution)
    assert done.status is Status.COMPLETED, done.status_message
    assert team.said(execution) == ["begins"], "it was not begun again"
    assert team.file(f"{execution}/made").text == "w1"
    wait_until(lambda: not containers(team), what="the end of its container")


def containers(team: Team) -> list[str]:
    label = f"label=mooring.home={sha256(str(team.mooring.home).encode()).hexdigest()[:16]}"
    return podman.podman("ps", "--quiet", "--filter", label).split()
