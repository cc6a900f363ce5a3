"""A project whose every push is another version, its deployment by the pipeline, and what its servers answer."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.git_server import Repo, serving

IMAGE = "team/releases"
DESTINATION = "RELEASES"
CONFIG = "cicd/config.json"
_PROGRAM = str(Path(sys.executable).parent / "mooring")
_DEPLOY_SECONDS = 120
_SERVE_PY = """
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        content = os.environ["VERSION"].encode()
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass

http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""
_TEMPLATE = """
apiVersion: ai.sap.com/v1alpha1
kind: ServingTemplate
metadata:
  name: releases-serve
  annotations: {{scenarios.ai.sap.com/name: Releases}}
  labels: {{scenarios.ai.sap.com/id: releases, ai.sap.com/version: "1"}}
spec:
  inputs:
    parameters: [{{name: commit}}]
  template:
    apiVersion: serving.kserve.io/v1beta1
    spec: |
      predictor:
        containers:
          - name: kserve-container
            image: team/releases:1
            command: [python, /app/src/serve.py]
            readinessProbe: {{httpGet: {{path: /v1/ready, port: 8080}}}}
            env:
              - {{name: VERSION, value: "{version}"}}
              - {{name: COMMIT, value: "{{{{inputs.parameters.commit}}}}"}}
"""
_CONFIGURATION = {
    "name": "server-${COLOUR}",
    "scenario_id": "releases",
    "executable_id": "releases-serve",
    "parameter_bindings": [{"key": "commit", "value": "${COMMIT}"}],
}
_FILE = {
    "application": "team",
    "deployments": [{"key": "server", "configuration": _CONFIGURATION, "destination_name": DESTINATION}],
}


def settings(source: Path) -> dict[str, str]:
    """Of an installation that reads the git server and runs the folder in place of the image."""
    source.mkdir()
    (source / "serve.py").write_text(_SERVE_PY)
    return {
        "MOORING_GIT_HOSTS": json.dumps(["127.0.0.1"]),
        "MOORING_STAND_INS": json.dumps({IMAGE: {"folder": str(source)}}),
        "MOORING_RUNTIME": "process",
    }


@contextmanager
def git_server(folder: Path) -> Iterator[Repo]:
    """Over HTTP, with the project's first version in it."""
    folder.mkdir()
    with serving(folder) as server:
        repo = server.new("releases")
        push(repo, "v0")
        yield repo


def push(repo: Repo, version: str) -> str:
    """The commit."""
    return repo.commit({"serve.yaml": _TEMPLATE.format(version=version), CONFIG: json.dumps(_FILE)})


def deploy(repo: Repo, commit: str, colour: str, environment: Mapping[str, str]) -> None:
    """What a CI does after a push. The environment has the credentials. Raises RuntimeError with what it says."""
    _run(repo, commit, colour, environment, "deploy")


def plan(repo: Repo, commit: str, colour: str, environment: Mapping[str, str]) -> str:
    """What `mooring plan` says, in JSON, when there is nothing to do. Raises RuntimeError."""
    return _run(repo, commit, colour, environment, "plan", "--json")


def _run(repo: Repo, commit: str, colour: str, environment: Mapping[str, str], *words: str) -> str:
    done = subprocess.run(
        [_PROGRAM, *words, CONFIG],
        cwd=repo.folder,
        env={**environment, "COMMIT": commit, "COLOUR": colour, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=_DEPLOY_SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"mooring {words[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def credentials(told: str) -> dict[str, str]:
    """The variables that `mooring env` prints."""
    pairs = (line.removeprefix("export ").partition("=") for line in told.splitlines())
    return {name: "".join(shlex.split(value)) for name, _, value in pairs}
