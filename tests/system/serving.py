"""A team's server, the template that serves it, and the folder that stands in for its image."""

import json
from pathlib import Path

from mooring.services import template_sync
from mooring.store.database import Database
from mooring.templates.files import kind_of, name_of, read_templates
from mooring.templates.found_template import FoundTemplate

IMAGE = "example/server:1"
NAME = "team-server"
SCENARIO = "team-scenario"
SERVE_PY = """
import http.server, json, os, pathlib, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer({"path": self.path})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/v2/die/":
            os._exit(3)
        model = pathlib.Path("/mnt/models/weights.txt")
        secret = pathlib.Path("/secrets/api-key")
        self.answer({
            "greeting": os.environ["GREETING"],
            "length": len(body),
            "pid": os.getpid(),
            "host": who.read_text(),
            "user": os.getuid(),
            "model": model.read_text() if model.exists() else None,
            "storage": os.environ.get("STORAGE_URI"),
            "key": os.environ.get("KEY"),
            "file": secret.read_text() if secret.exists() else None,
        })

    def answer(self, document):
        content = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass

who = pathlib.Path("/scratch/who")
who.write_text(os.urandom(8).hex())
print("greets with", os.environ["GREETING"], flush=True)
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""
TEMPLATE = """
apiVersion: ai.sap.com/v1alpha1
kind: ServingTemplate
metadata:
  name: team-server
  annotations:
    scenarios.ai.sap.com/name: "Team"
    executables.ai.sap.com/cascade-update-deployments: "true"
    artifacts.ai.sap.com/weights.kind: "model"
  labels: {scenarios.ai.sap.com/id: team-scenario, ai.sap.com/version: "1.0"}
spec:
  inputs:
    parameters:
      - {name: greeting, type: string, default: "hi"}
      - {name: replicas, default: 1}
    artifacts: [{name: weights}]
  template:
    apiVersion: "serving.kserve.io/v1beta1"
    metadata:
      labels: |
        ai.sap.com/resourcePlan: starter
    spec: |
      predictor:
        minReplicas: {{inputs.parameters.replicas}}
        volumes:
          - {name: keys, secret: {secretName: team-secret}}
          - {name: scratch, emptyDir: {}}
        containers:
          - name: kserve-container
            image: "example/server:1"
            command: ["/bin/sh", "-c"]
            args: ["exec python3 /app/src/serve.py"]
            ports: [{containerPort: 9001, protocol: TCP}]
            readinessProbe: {httpGet: {path: /v1/ready}}
            volumeMounts:
              - {name: keys, mountPath: /secrets}
              - {name: scratch, mountPath: /scratch}
            env:
              - {name: GREETING, value: "{{inputs.parameters.greeting}}"}
              - {name: STORAGE_URI, value: "{{inputs.artifacts.weights}}"}
              - {name: KEY, valueFrom: {secretKeyRef: {name: team-secret, key: api-key}}}
"""


def program(folder: Path) -> Path:
    """The folder with the server's program, as it lies at /app/src of the image."""
    folder.mkdir(parents=True)
    (folder / "serve.py").write_text(SERVE_PY)
    return folder


def stand_ins(folder: Path) -> dict[str, str]:
    """As settings of an installation that runs it in sandboxes."""
    return {"MOORING_STAND_INS": json.dumps({IMAGE: {"folder": str(folder)}})}


def install(home: Path, template: str = TEMPLATE) -> str:
    """What a sync would do; its message. (Real repositories are in tests/gitops and tests/controllers.)"""
    database = Database(f"sqlite:///{home / 'mooring.db'}")
    found = []
    for document, result in read_templates(template.encode()):
        assert not isinstance(result, Exception), result
        found.append(FoundTemplate("serve.yaml", kind_of(document), name_of(document), result))
    with database.transaction() as session:
        statuses = template_sync.sync(session, "team", found)
    database.close()
    return "\n".join(status.message for status in statuses)
