"""The target `mooring` of `mlflow deployments`. MLflow finds it by the entry point `mlflow.deployments`."""

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlflow.deployments import BaseDeploymentClient, PredictionsResponse
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, RESOURCE_DOES_NOT_EXIST

from mooring.client.client import AIClient
from mooring.client.deployments import DeploymentFailed
from mooring.compat.errors import CompatError
from mooring.compat.invocations import JSON, ask
from mooring.compat.mlflow_errors import as_mlflow
from mooring.compat.mlflow_inputs import body_of
from mooring.compat.mlflow_options import read_options
from mooring.compat.named_deployments import NAME, Named, NamedDeployments
from mooring.compat.targets import credentials_of

FLAVOR = "python_function"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,79}", re.ASCII)
_PREDICT_SECONDS = 120.0
_STOP_SECONDS = 40.0

_HELP = """Deploys logged models to Mooring, or to another server of the AI API that has the executable model-server.

Target URIs
  mooring               AICORE_* variables or ~/.aicore if they are there, else the Mooring of this machine
                        (MOORING_HOME or ~/.mooring)
  mooring:/PROFILE      ~/.aicore/config_PROFILE.json (or in AICORE_HOME)
  mooring:http://HOST   this server, if the credentials above are for it

Resource group: AICORE_RESOURCE_GROUP, else default.

Options (-C name=value) of create and update
  model_name            the model's name in its URLs; the deployment's name when not given
  resource_plan         its size: starter, basic, infer.s, ...
  timeout_seconds       how long to wait until it serves; 600 when not given
  wait                  false: return when the server has accepted

Options of run-local
  host, port            where to listen; 127.0.0.1 and 8000 when not given

An update keeps the URL, and what serves goes on until the new version is ready. Deployments that were not made here
(by promoting a model in the registry, say) are not listed and not touched.
"""


class MooringDeploymentClient(BaseDeploymentClient):  # type: ignore[misc]
    """Deployments by name. Every method raises MlflowException."""

    def create_deployment(
        self,
        name: str,
        model_uri: str,
        flavor: str | None = None,
        config: Mapping[str, Any] | None = None,
        endpoint: str | None = None,
    ) -> dict[str, Any]:
        """Returns when it serves. One that fails is removed again; one that takes too long is left."""
        with as_mlflow(), self._client() as client:
            _check(flavor, endpoint)
            named, options = NamedDeployments(client), read_options(config)
            if not _NAME.fullmatch(name):
                raise CompatError(f"{name!r} is no name: it takes up to 80 letters, digits and _.-, none of _.- first")
            if found := named.live(name):
                message = f"there is a deployment {name!r} already ({found.deployment.id}): update or delete it"
                raise MlflowException(message, error_code=RESOURCE_ALREADY_EXISTS)
            asked = {"modelUri": _absolute(model_uri), "modelName": name, **options.parameters, NAME: name}
            made = named.create(name, asked)
            if options.wait:
                self._wait_or_remove(named, made, options.timeout_seconds)
            return _described(Named(name, client.deployments.get(made), asked))

    def update_deployment(
        self,
        name: str,
        model_uri: str | None = None,
        flavor: str | None = None,
        config: Mapping[str, Any] | None = None,
        endpoint: str | None = None,
    ) -> dict[str, Any]:
        """Returns when the new version serves. If it cannot, the one before serves on."""
        with as_mlflow(), self._client() as client:
            _check(flavor, endpoint)
            named, options = NamedDeployments(client), read_options(config)
            found = _existing(named, name)
            changed = {"modelUri": _absolute(model_uri)} if model_uri else {}
            asked = {**found.parameters, **changed, **options.parameters}
            configuration = named.change(found, asked)
            if options.wait:
                named.wait(found.deployment.id, configuration, options.timeout_seconds)
            return _described(Named(name, client.deployments.get(found.deployment.id), asked))

    def delete_deployment(
        self, name: str, config: Mapping[str, Any] | None = None, endpoint: str | None = None
    ) -> None:
        """Gone when it returns. One that is not there is gone."""
        with as_mlflow(), self._client() as client:
            _check(None, endpoint)
            read_options(config)
            named = NamedDeployments(client)
            for found in named.all(name):
                named.remove(found.deployment.id)

    def list_deployments(self, endpoint: str | None = None) -> list[dict[str, Any]]:
        """Those that were made by this target, ordered by name."""
        with as_mlflow(), self._client() as client:
            _check(None, endpoint)
            found = [each for each in NamedDeployments(client).all() if each.is_live]
            return [_described(each) for each in sorted(found, key=lambda each: each.name)]

    def get_deployment(self, name: str, endpoint: str | None = None) -> dict[str, Any]:
        """What is known of it."""
        with as_mlflow(), self._client() as client:
            _check(None, endpoint)
            return _described(_existing(NamedDeployments(client), name))

    def predict(
        self, deployment_name: str | None = None, inputs: Any = None, endpoint: str | None = None
    ) -> PredictionsResponse:
        """Asks the model; `inputs` is a DataFrame, an array, a dict of arrays, or a complete body."""
        with as_mlflow(), self._client() as client:
            _check(None, endpoint)
            if deployment_name is None:
                raise CompatError("which deployment? Give its name")
            found = _existing(NamedDeployments(client), deployment_name)
            if not found.deployment.deployment_url:
                raise CompatError(f"{deployment_name!r} has no URL yet: it is {found.deployment.status}")
            answer = ask(
                found.deployment.deployment_url,
                body_of(inputs),
                JSON,
                token=client.access_token(),
                resource_group=credentials_of(self.target_uri).resource_group,
                timeout_seconds=_PREDICT_SECONDS,
            )
            return PredictionsResponse.from_json(json.dumps(answer))

    def _client(self) -> AIClient:
        return AIClient.of(credentials_of(self.target_uri))

    def _wait_or_remove(self, named: NamedDeployments, deployment_id: str, seconds: float) -> None:
        """The name of one that cannot start is free again."""
        try:
            named.wait(deployment_id, None, seconds)
        except DeploymentFailed:
            named.remove(deployment_id)
            raise


def run_local(name: str, model_uri: str, flavor: str | None = None, config: Mapping[str, Any] | None = None) -> None:
    """Serves the model here, without a control plane, until it is broken off (Ctrl-C)."""
    with as_mlflow():
        _check(flavor, None)
        given = dict(config or {})
        host, port = str(given.pop("host", "127.0.0.1")), str(given.pop("port", "8000"))
        if given or not port.isdecimal():
            raise CompatError(f"options of run-local are host and port (a number), not {config}")
        command = [sys.executable, "-m", "mooring.modelserver", "--model", model_uri, "--name", name]
        with _ended([*command, "--host", host, "--port", port]) as server:
            code = server.wait()
        if code != 0:
            raise CompatError(f"the model server has ended with exit code {code}; its last line says why")


def target_help() -> str:
    """What `mlflow deployments help -t mooring` prints."""
    return _HELP


@contextmanager
def _ended(command: list[str]) -> "Iterator[subprocess.Popen[bytes]]":
    """The process does not outlive us, whichever way we end (but for SIGKILL)."""
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, _break_off) if in_main else None
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        if in_main:
            signal.signal(signal.SIGTERM, before)
        if process.poll() is None:
            process.terminate()
            process.wait(_STOP_SECONDS)


def _break_off(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _check(flavor: str | None, endpoint: str | None) -> None:
    if flavor not in (None, FLAVOR):
        raise CompatError(f"the flavor {flavor!r} cannot be served: leave it out, every model is served as {FLAVOR}")
    if endpoint is not None:
        raise CompatError("there are no endpoints here: each deployment has a URL of its own, give its name")


def _existing(named: NamedDeployments, name: str) -> Named:
    found = named.live(name)
    if found is None:
        message = f"there is no deployment {name!r}: `mlflow deployments list` shows those that there are"
        raise MlflowException(message, error_code=RESOURCE_DOES_NOT_EXIST)
    return found


def _absolute(model_uri: str) -> str:
    """A path of the caller's folder means something to the server only when it is whole."""
    path = Path(model_uri)
    return str(path.resolve()) if "://" not in model_uri and path.is_dir() else model_uri


def _described(found: Named) -> dict[str, Any]:
    deployment = found.deployment
    return {
        "name": found.name,
        "flavor": FLAVOR,
        "status": deployment.status,
        "status_message": deployment.status_message or "",
        "endpoint": deployment.deployment_url or "",
        "model_uri": found.parameters.get("modelUri", ""),
        "deployment_id": deployment.id,
        "configuration_id": deployment.configuration_id,
    }
