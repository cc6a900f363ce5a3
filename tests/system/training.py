"""A team's workflows, and the folder that stands in for their image."""

import importlib.util
import json
import shutil
from pathlib import Path

from mooring.services import template_sync
from mooring.store.database import Database
from mooring.templates.files import read_templates
from mooring.templates.found_template import FoundTemplate

IMAGE = "example/demo:1"
SDK = (
    *("ai_core_sdk", "ai_api_client_sdk"),
    *("aenum", "certifi", "charset_normalizer", "humps", "idna", "requests", "urllib3"),
)
"""And what it needs: installing it would take the tests longer, and a network."""
TRAIN_PY = """
import os, pathlib, sys, time

rows = pathlib.Path("/app/data")
print("found", sorted(path.name for path in rows.iterdir()), flush=True)
text = "".join(path.read_text() for path in rows.iterdir())
pathlib.Path("/app/model").mkdir()
pathlib.Path("/app/model/weights.txt").write_text(f"{text.strip()} x {os.environ['EPOCHS']}")
print("as user", os.getuid(), flush=True)
"""
TRACK_PY = """
from datetime import UTC, datetime

from ai_core_sdk.models import Metric, MetricTag
from ai_core_sdk.tracking import Tracking

tracking = Tracking()
tracking.log_metrics(metrics=[Metric(name="loss", value=0.25, timestamp=datetime.now(UTC))])
tracking.set_tags(tags=[MetricTag(name="by", value="the job itself")])
print("tracked", flush=True)
"""
SLEEP_PY = """
import time
print("going on", flush=True)
time.sleep(600)
"""
FAIL_PY = """
import sys
print("reading rows")
sys.exit("no rows were given")
"""
METADATA = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata:
  name: {name}
  annotations:
    artifacts.ai.sap.com/rows.kind: dataset
    artifacts.ai.sap.com/trained.kind: model
  labels: {{scenarios.ai.sap.com/id: demo-scenario, ai.sap.com/version: "1.0"}}
"""
TRAIN = """
spec:
  entrypoint: main
  arguments: {parameters: [{name: epochs, default: "3"}]}
  templates:
    - name: main
      metadata: {labels: {ai.sap.com/resourcePlan: starter}}
      inputs: {artifacts: [{name: rows, path: /app/data}]}
      outputs: {artifacts: [{name: trained, globalName: trained, path: /app/model, archive: {none: {}}}]}
      container:
        image: example/demo:1
        command: ["/bin/sh", "-c"]
        args: ["python /app/src/train.py"]
        env: [{name: EPOCHS, value: "{{workflow.parameters.epochs}}"}]
"""
RUN = """
spec:
  entrypoint: main
  templates:
    - name: main
      container: {{image: example/demo:1, command: [python, /app/src/{program}]}}
"""
GRAPH = """
spec:
  entrypoint: main
  templates:
    - name: main
      dag:
        tasks:
          - {name: count, template: count}
          - name: square
            template: square
            dependencies: [count]
            arguments:
              parameters: [{name: n, value: "{{tasks.count.outputs.result}}"}]
              artifacts: [{name: rows, from: "{{tasks.count.outputs.artifacts.rows}}"}]
    - name: count
      outputs: {artifacts: [{name: rows, path: /tmp/rows}]}
      script:
        image: example/demo:1
        command: [python]
        source: |
          import pathlib
          pathlib.Path("/tmp/rows").write_text("a b c")
          print(7)
    - name: square
      inputs: {parameters: [{name: n}], artifacts: [{name: rows, path: /work/rows}]}
      outputs: {artifacts: [{name: result, path: /work/result, globalName: result, archive: {none: {}}}]}
      container:
        image: example/demo:1
        command: [python, -c]
        args:
          - |
            import pathlib
            n = int("{{inputs.parameters.n}}")
            pathlib.Path("/work/result").write_text(f"{n * n} " + pathlib.Path("/work/rows").read_text())
"""


def stand_ins(folder: Path) -> dict[str, str]:
    """The environment of a `mooring up` that runs the image from this folder, which also holds the official SDK."""
    folder.mkdir()
    programs = {"train.py": TRAIN_PY, "track.py": TRACK_PY, "sleep.py": SLEEP_PY, "fail.py": FAIL_PY}
    for name, source in programs.items():
        (folder / name).write_text(source)
    for package in SDK:
        shutil.copytree(_place_of(package), folder / package)
    return {"MOORING_STAND_INS": json.dumps({IMAGE: {"folder": str(folder)}})}


def _place_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def install(home: Path, **specs: str) -> None:
    """Make executables of these workflows, as the sync of an application does."""
    found = []
    for name, spec in specs.items():
        ((_, template),) = read_templates((METADATA.format(name=name) + spec).encode())
        assert not isinstance(template, Exception), template
        found.append(FoundTemplate(f"{name}.yaml", "WorkflowTemplate", name, template))
    database = Database(f"sqlite:///{home / 'mooring.db'}")
    with database.transaction() as session:
        statuses = template_sync.sync(session, "demo", found)
    database.close()
    assert {status.status for status in statuses} == {"Synced"}, statuses
