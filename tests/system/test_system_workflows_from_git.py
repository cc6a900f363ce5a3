"""Workflows of a team, from its repository to registered artifacts: every shape, driven by the official SDK."""

import base64
import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest
from ai_api_client_sdk.models.status import Status

from mooring.home import Home
from tests.system.running_mooring import RunningMooring, wait_until
from tests.system.team import Team, repository, workflow

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is missing: apt-get install bubblewrap"),
]
CANARY = "c4n4ry-of-a-workflow"
SHAPES = """
spec:
  entrypoint: main
  arguments:
    parameters: [{name: word, default: hi}, {name: mode, value: full}]
  templates:
    - name: main
      steps:
        - - name: split
            template: split
            arguments: {parameters: [{name: word, value: "{{workflow.parameters.word}}"}]}
          - {name: never, template: stubborn, when: "{{workflow.parameters.mode}} == quick"}
          - {name: stubborn, template: stubborn}
        - - name: shout
            template: shout
            withItems: [{n: 1}, {n: 2}]
            arguments:
              parameters: [{name: n, value: "{{item.n}}"}]
              artifacts: [{name: part, from: "{{steps.split.outputs.artifacts.part}}"}]
        - - name: graph
            template: graph
            arguments:
              parameters:
                - {name: shouts, value: "{{steps.shout.outputs.parameters.loud}}"}
                - {name: printed, value: "{{steps.split.outputs.result}}"}
    - name: graph
      inputs: {parameters: [{name: shouts}, {name: printed}]}
      dag:
        tasks:
          - name: left
            template: report
            arguments: {parameters: [{name: text, value: "{{inputs.parameters.shouts}} {{inputs.parameters.printed}}"}]}
          - {name: right, template: pack}
          - {name: bottom, template: stubborn, depends: left && right}
    - name: split
      inputs: {parameters: [{name: word}]}
      outputs: {artifacts: [{name: part, path: /tmp/part}]}
      script:
        image: team/tools:1
        command: [python]
        source: |
          import pathlib
          pathlib.Path("/tmp/part").write_text("{{inputs.parameters.word}}")
          print("split", len("{{inputs.parameters.word}}"))
    - name: shout
      inputs: {parameters: [{name: n}], artifacts: [{name: part, path: /work/part}]}
      outputs: {parameters: [{name: loud, valueFrom: {path: /tmp/loud}}]}
      script:
        image: team/tools:1
        command: [python]
        source: |
          import pathlib
          pathlib.Path("/tmp/loud").write_text(pathlib.Path("/work/part").read_text().upper() * {{inputs.parameters.n}})
    - name: stubborn
      retryStrategy: {limit: "2", retryPolicy: Always}
      script: {image: team/tools:1, command: [python], source: "import sys; sys.exit({{retries}} < 1)"}
    - name: report
      inputs: {parameters: [{name: text}]}
      outputs: {artifacts: [{name: out, path: /work/report.txt, globalName: report, archive: {none: {}}}]}
      container:
        image: team/tools:1
        command: [python, -c]
        args: ["import os; open('/work/report.txt', 'w').write(os.environ['TEXT'])"]
        env: [{name: TEXT, value: "{{inputs.parameters.text}}"}]
    - name: pack
      outputs: {artifacts: [{name: out, path: /work/model, globalName: pack}]}
      container:
        image: team/tools:1
        command: [/bin/sh, -c]
        args: ["mkdir -p /work/model/deep && echo 1 > /work/model/deep/one && echo 2 > /work/model/two"]
"""
AGAIN = """
spec:
  entrypoint: main
  templates:
    - name: main
      inputs: {artifacts: [{name: report, path: /app/data}, {name: pack, path: /app/pack}]}
      script:
        image: team/tools:1
        command: [python]
        source: |
          import pathlib
          for root in ("/app/data", "/app/pack"):
              for path in sorted(pathlib.Path(root).rglob("*")):
                  print(path, path.read_text().strip() if path.is_file() else "", flush=True)
"""
SECRETS = """
spec:
  entrypoint: main
  arguments: {parameters: [{name: secret, default: team-secret}]}
  templates:
    - name: main
      outputs: {artifacts: [{name: own, path: /work/own.json, globalName: own, archive: {none: {}}}]}
      volumes: [{name: files, secret: {secretName: "{{workflow.parameters.secret}}"}}]
      script:
        image: team/tools:1
        command: [python]
        volumeMounts: [{name: files, mountPath: /secrets}]
        env:
          - {name: ONE, valueFrom: {secretKeyRef: {name: "{{workflow.parameters.secret}}", key: token}}}
        envFrom:
          - secretRef:
            name: "{{workflow.parameters.secret}}"
        source: |
          import datetime, hashlib, json, os, pathlib, urllib.request
          for value in (os.environ["ONE"], os.environ["token"], pathlib.Path("/secrets/token").read_text()):
              print(hashlib.sha256(value.encode()).hexdigest(), flush=True)
          print(*sorted(name for name in os.environ if "MOORING" in name or "HOME" == name), flush=True)
          endpoint, execution = os.environ["AICORE_TRACKING_ENDPOINT"], os.environ["AICORE_EXECUTION_ID"]
          now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
          metric = {"name": "loss", "value": 0.5, "timestamp": now}
          body = json.dumps({"executionId": execution, "metrics": [metric]}).encode()
          kind = {"Content-Type": "application/merge-patch+json"}
          request = urllib.request.Request(f"{endpoint}/api/v1/metrics", body, kind, method="PATCH")
          urllib.request.urlopen(request, timeout=30)
          digest = hashlib.sha256(endpoint.rpartition("~")[2].encode()).hexdigest()
          pathlib.Path("/work/own.json").write_text(json.dumps({"id": execution, "mac": digest}))
"""
BREAKS = """
spec:
  entrypoint: main
  arguments: {parameters: [{name: seconds, default: "0"}]}
  templates:
    - name: main
      steps:
        - - {name: good, template: good}
          - {name: bad, template: bad}
        - - {name: after, template: good}
    - name: good
      outputs: {artifacts: [{name: part, path: /tmp/part}, {name: kept, path: /tmp/kept, globalName: kept}]}
      container: {image: team/tools:1, command: [/bin/sh, -c], args: ["echo a | tee /tmp/part /tmp/kept"]}
    - name: bad
      container:
        image: team/tools:1
        command: [/bin/sh, -c]
        args: ["echo one; echo two >&2; sleep {{workflow.parameters.seconds}}; echo no rows >&2; exit 4"]
"""
LATE = """
spec:
  entrypoint: main
  activeDeadlineSeconds: 600
  templates:
    - name: main
      activeDeadlineSeconds: 1
      container: {image: "team/tools:1", command: [/bin/sleep, "600"]}
"""


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("workflows")
    (folder / "tools").mkdir()
    settings = {
        "MOORING_GIT_FOLDERS": json.dumps([str(folder / "git")]),
        "MOORING_STAND_INS": json.dumps({"team/tools:1": {"folder": str(folder / "tools")}}),
        "MOORING_JOBS_AT_ONCE": "4",
    }
    repo = repository(folder / "git" / "templates")
    label = json.dumps({"ext.ai.sap.com/stage": "test"})
    shapes = workflow(
        "shapes",
        SHAPES,
        report_kind="resultset",
        report_name="the report",
        report_suffix=".v1.txt",
        report_labels=label,
    )
    repo.commit(
        {
            "train/shapes.yaml": shapes,
            "train/again.yml": workflow("again", AGAIN, report_kind="resultset", pack_kind="model"),
            "more.yaml": "---".join([workflow("secrets", SECRETS), workflow("breaks", BREAKS), workflow("late", LATE)]),
        }
    )
    with RunningMooring(folder / "home", settings) as running:
        team = Team(running, repo)
        team.onboard()
        yield team


@pytest.fixture(scope="module")
def shapes(team: Team) -> Any:
    """An execution of all shapes that has completed."""
    return team.run("shapes", {"word": "hey"})


def test_all_of_the_repository_is_shown_as_executables(team: Team) -> None:
    found = {each.id: each for each in team.sdk.executable.query(scenario_id="team-project").resources}
    assert set(found) == {"shapes", "again", "secrets", "breaks", "late"}
    assert not any(each.deployable for each in found.values())
    assert {each.name: each.default for each in found["shapes"].parameters} == {"word": "hi", "mode": "full"}
    assert {each.name for each in found["again"].input_artifacts} == {"report", "pack"}


def test_steps_graphs_items_conditions_and_tries(team: Team, shapes: Any) -> None:
    phases: dict[str, list[str]] = {}
    for node in shapes.status_details["nodes"]:
        phases.setdefault(node["phase"], []).append(node["node"])
    assert set(phases) == {"Succeeded", "Skipped"}, phases
    assert phases["Skipped"] == ["main[0].never"]
    assert {'main[1].shout(0:{"n":1})', 'main[1].shout(1:{"n":2})'} <= set(phases["Succeeded"]), phases
    assert shapes.submission_time <= shapes.start_time <= shapes.completion_time


def test_outputs_are_registered_as_their_template_says(team: Team, shapes: Any) -> None:
    made = {each.name: each for each in team.sdk.artifact.query(execution_id=shapes.id).resources}
    assert set(made) == {"the report", "pack"} == {each.name for each in shapes.output_artifacts}
    report, pack = made["the report"], made["pack"]
    assert (report.url, report.kind.value) == (f"ai://default/{shapes.id}/report.v1.txt", "resultset")
    assert [(label.key, label.value) for label in report.labels] == [("ext.ai.sap.com/stage", "test")]
    assert (pack.url, pack.kind.value) == (f"ai://default/{shapes.id}/pack", "model")
    assert (report.scenario_id, report.configuration_id) == ("team-project", shapes.configuration_id)
    assert team.file(f"{shapes.id}/report.v1.txt").text == '["HEY","HEYHEY"] split 3'
    packed = io.BytesIO(team.file(f"{shapes.id}/pack").content)
    with tarfile.open(fileobj=packed, mode="r:gz") as archive:
        assert {each.name for each in archive if each.isfile()} == {"model/deep/one", "model/two"}


def test_outputs_are_inputs_of_the_next(team: Team, shapes: Any) -> None:
    made = {each.name: each.id for each in shapes.output_artifacts}
    done = team.run("again", inputs={"report": made["the report"], "pack": made["pack"]})
    assert team.said(done.id) == [
        '/app/data/report.v1.txt ["HEY","HEYHEY"] split 3',
        "/app/pack/deep ",
        "/app/pack/deep/one 1",
        "/app/pack/two 2",
    ]


def test_secrets_and_permissions_are_given_and_kept(team: Team) -> None:
    """Attack class 21: what only the container is to know is in no file, command line or answer."""
    data = {"token": base64.b64encode(CANARY.encode()).decode()}
    team.sdk.secrets.create("team-secret", data, ai_tenant_scope=False)
    done = team.run("secrets")
    digest = hashlib.sha256(CANARY.encode()).hexdigest()
    assert team.said(done.id)[:3] == [digest] * 3
    own = team.file(f"{done.id}/own").json()
    assert own["id"] == done.id
    (resource,) = team.sdk.metrics.query(execution_ids=[done.id]).resources
    assert [(metric.name, metric.value) for metric in resource.metrics] == [("loss", 0.5)]
    for path in team.mooring.home.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert CANARY.encode() not in content, path
        assert data["token"].encode() not in content, path
        assert not any(hashlib.sha256(word).hexdigest() == own["mac"] for word in _macs(content)), path
    answers = json.dumps(team.sdk.rest_client.get(path=f"/lm/executions/{done.id}"))
    assert CANARY not in answers + team.mooring.run("status", "--json").stdout


def test_a_secret_that_is_missing_is_named(team: Team) -> None:
    done = team.finish(team.start("secrets", {"secret": "no-such-secret"}))
    assert done.status is Status.DEAD
    assert "no-such-secret" in done.status_message
    assert "/v2/admin/secrets" in done.status_message


def test_a_failing_step_is_told_with_its_logs(team: Team) -> None:
    execution_id = team.start("breaks", {"seconds": "1"})
    wait_until(lambda: "two" in team.said(execution_id), what="its logs while it runs")
    done = team.finish(execution_id)
    assert (done.status, done.status_message) == (Status.DEAD, "main[0].bad: exit code 4: no rows")
    nodes = {node["node"]: node for node in done.status_details["nodes"]}
    assert nodes["main[0].bad"]["exit_code"] == 4
    assert {name: node["phase"] for name, node in nodes.items() if "." in name} == {
        "main[0].good": "Succeeded",
        "main[0].bad": "Failed",
    }
    lines = team.lines(execution_id)
    assert {(line["container"], line["stream"], line["msg"].strip()) for line in lines} == {
        ("main", "stdout", "a"),
        ("main", "stdout", "one"),
        ("main", "stderr", "two"),
        ("main", "stderr", "no rows"),
    }
    assert len({line["pod"] for line in lines}) == 2
    times = [line.timestamp for line in team.sdk.execution.query_logs(execution_id, order="desc").data.result]
    assert times == sorted(times, reverse=True)


def test_a_deletion_leaves_what_is_registered(team: Team, shapes: Any) -> None:
    execution_id = team.run("shapes").id
    store = Home(team.mooring.home).path / "store"
    assert any(execution_id in str(path) and path.name.startswith("part") for path in store.rglob("*"))
    pods = {line["pod"] for line in team.lines(execution_id)}
    made = team.sdk.artifact.query(execution_id=execution_id).resources
    team.delete(execution_id)
    left = [path.name for path in store.rglob("*") if path.is_file() and execution_id in str(path)]
    assert sorted(left) == ["pack", "report.v1.txt"]
    assert [team.sdk.artifact.get(each.id).url for each in made] == [each.url for each in made]
    assert not [path for path in Home(team.mooring.home).replicas.rglob("*") if path.name in pods]
    assert team.sdk.execution.get(shapes.id).status is Status.COMPLETED


def test_a_deadline_ends_a_step(team: Team) -> None:
    done = team.finish(team.start("late"))
    assert done.status is Status.DEAD
    assert "1 s" in done.status_message, done.status_message


def _macs(content: bytes) -> Iterator[bytes]:
    """What may be the proving part of an address to track an execution."""
    for piece in content.split(b"~")[1:]:
        yield piece[:43]
