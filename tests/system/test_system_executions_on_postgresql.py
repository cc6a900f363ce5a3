"""A whole execution with its state in PostgreSQL: pushed over http, run in sandboxes, tracked, deleted."""

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from ai_api_client_sdk.models.status import Status

from tests.git_server import serving
from tests.postgresql import Postgresql
from tests.system.running_mooring import RunningMooring, wait_until
from tests.system.team import Team, workflow

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is missing: apt-get install bubblewrap"),
]
CANARY = "c4n4ry-in-postgresql"
USER, PASSWORD = "a-pusher", "a-token-of-the-git-server"
SPEC = """
spec:
  entrypoint: main
  arguments: {parameters: [{name: word, default: hi}]}
  templates:
    - name: main
      dag:
        tasks:
          - {name: make, template: make}
          - name: use
            template: use
            dependencies: [make]
            arguments: {artifacts: [{name: made, from: "{{tasks.make.outputs.artifacts.made}}"}]}
    - name: make
      outputs: {artifacts: [{name: made, path: /tmp/made}]}
      container:
        image: team/tools:1
        command: [/bin/sh, -c]
        args: ["echo $WORD ${#TOKEN} > /tmp/made"]
        env:
          - {name: WORD, value: "{{workflow.parameters.word}}"}
          - {name: TOKEN, valueFrom: {secretKeyRef: {name: team-secret, key: token}}}
    - name: use
      inputs: {artifacts: [{name: made, path: /tmp/made}]}
      outputs: {artifacts: [{name: out, path: /tmp/made, globalName: out, archive: {none: {}}}]}
      container: {image: team/tools:1, command: [/bin/cat, /tmp/made]}
"""


@pytest.fixture
def team(tmp_path: Path, postgresql: Postgresql) -> Iterator[Team]:
    url = postgresql.new_database(migrated=False)
    (tmp_path / "tools").mkdir()
    (tmp_path / "git").mkdir()
    settings = {
        "MOORING_DATABASE_URL": url,
        "MOORING_GIT_HOSTS": '["127.0.0.1"]',
        "MOORING_STAND_INS": json.dumps({"team/tools": {"folder": str(tmp_path / "tools")}}),
    }
    with serving(tmp_path / "git") as server, RunningMooring(tmp_path / "home", settings) as running:
        repo = server.new()
        repo.commit({"flow.yaml": workflow("flow", SPEC, out_kind="dataset")})
        server.username, server.password = USER, PASSWORD
        team = Team(running, repo)
        team.onboard(USER, PASSWORD)
        yield team
    postgresql.drop(url)


def test_a_whole_execution(team: Team) -> None:
    data = {"token": base64.b64encode(CANARY.encode()).decode()}
    team.sdk.secrets.create("team-secret", data, ai_tenant_scope=False)
    done = team.run("flow", {"word": "moin"})
    said = f"moin {len(CANARY)}"
    assert team.said(done.id) == [said]
    (made,) = done.output_artifacts
    assert (made.url, team.file(f"{done.id}/out").text) == (f"ai://default/{done.id}/out", f"{said}\n")
    again = team.start("flow")
    team.mooring.kill("control-plane")
    team.mooring.up()
    finished = team.finish(again)
    assert finished.status is Status.COMPLETED, finished.status_message
    team.delete(done.id)
    assert team.sdk.artifact.get(made.id).execution_id == done.id

    team.repo.commit({"flow.yaml": workflow("flow", SPEC.replace("default: hi", "default: ahoy"))})
    team.sdk.applications.refresh("team")
    executable = team.sdk.executable
    wait_until(
        lambda: executable.get("team-project", "flow").parameters[0].default == "ahoy", what="what has been pushed"
    )
    assert team.said(team.run("flow").id) == [f"ahoy {len(CANARY)}"]
    for path in team.mooring.home.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert CANARY.encode() not in content, path
        assert PASSWORD.encode() not in content, path
