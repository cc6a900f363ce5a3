"""The real `mlflow deployments` and `mlflow artifacts`, against the real thing."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from click.testing import CliRunner
from mlflow.deployments.cli import commands

from mooring.compat import deploy_to_kyma, predict
from tests.mlflow_server import free_port, running_mlflow
from tests.system.models import Models, save_models
from tests.system.running_mooring import RunningMooring, wait_until

pytestmark = pytest.mark.slow
SECONDS = 120


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return save_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def mooring(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Iterator[RunningMooring]:
    settings = {"MOORING_MODEL_FOLDERS": f'["{models.folder}"]', "MOORING_FORK_SERVERS": "false"}
    with RunningMooring(tmp_path_factory.mktemp("mooring"), settings) as running:
        yield running


def _mlflow(mooring: RunningMooring, *arguments: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "mlflow", "deployments", *arguments]
    environment = {**os.environ, "MOORING_HOME": str(mooring.home)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == code, f"{arguments}: {done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def _here(mooring: RunningMooring, *arguments: str) -> str:
    """The same command in this process, which has imported MLflow already: a process of its own does so for seconds."""
    done = CliRunner().invoke(commands, arguments, env={"MOORING_HOME": str(mooring.home)}, catch_exceptions=False)
    assert done.exit_code == 0, f"{arguments}: {done.output}"
    return done.output


def test_a_deployment_from_its_beginning_to_its_end(mooring: RunningMooring, models: Models, tmp_path: Path) -> None:
    target = ("-t", "mooring", "--name", "double")
    assert "python_function deployment double is created" in _mlflow(
        mooring, "create", *target, "-m", models.times(2), "-C", "timeout_seconds=60"
    )
    told = yaml.safe_load(_here(mooring, "get", *target).strip())
    assert (told["name"], told["status"]) == ("double", "RUNNING")
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps([{"x": 1.0}, {"x": 4.0}]))
    asked = ("predict", *target, "--input-path", str(rows))
    assert json.loads(_mlflow(mooring, *asked).splitlines()[-1]) == {"predictions": [2.0, 8.0]}
    assert "Deployment double is updated" in _here(mooring, "update", *target, "-m", models.times(3))
    assert json.loads(_here(mooring, *asked).splitlines()[-1]) == {"predictions": [3.0, 12.0]}
    token = mooring.headers()["Authorization"].removeprefix("Bearer ")
    # The same URL, asked with the body of fedml's documentation.
    answer = predict(endpoint_url=told["endpoint"], data=json.dumps({"data": [[1.0], [4.0]]}), token=token)
    assert answer["prediction_result"].tolist() == [3.0, 12.0]
    assert "'name': 'double'" in _here(mooring, "list", "-t", "mooring")
    assert "already" in _mlflow(mooring, "create", *target, "-m", models.times(2), code=1)
    assert "Deployment double is deleted" in _here(mooring, "delete", *target)
    with mooring.client() as client:
        assert client.deployments.list() == []


def test_run_local_serves_until_it_is_ended(models: Models) -> None:
    port, folder = free_port(), str(models.folder / "times2")
    command = [sys.executable, "-m", "mlflow", "deployments", "run-local", "-t", "mooring", "--name", "double"]
    process = subprocess.Popen([*command, "-m", folder, "-C", f"port={port}"])
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        try:
            return httpx.get(f"{url}/v2/health/ready", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def gone() -> bool:
        try:
            httpx.get(f"{url}/v2/health/live", timeout=2)
        except httpx.ConnectError:
            return True
        return False

    try:
        wait_until(ready, what="the model server")
        assert predict(f"{url}/invocations", "application/json", {"inputs": [[4.0]]}) == {"predictions": [8.0]}
        process.send_signal(signal.SIGTERM)
        process.wait(SECONDS)
        wait_until(gone, what="its end")
    finally:
        process.kill()
        process.wait(SECONDS)


def test_a_kyma_service_is_staged_from_a_real_registry(tmp_path: Path) -> None:
    flavors = {"flavors": {"python_function": {"loader_module": "x", "python_version": "3.11.4"}}}
    files = {"MLmodel": yaml.safe_dump(flavors).encode(), "requirements.txt": b"mlflow\n", "data/w": b"\x00" * 9}
    kubeconfig = tmp_path / "kubeconfig.yaml"
    kubeconfig.write_text(
        yaml.safe_dump(
            {
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "k"}}],
                "clusters": [{"name": "k", "cluster": {"server": "https://api.x.kyma.example.com"}}],
            }
        )
    )
    with running_mlflow(tmp_path / "mlflow") as registry:
        name = registry.new_model()
        version = registry.new_version(name, files=files)
        registry.set_alias(name, version, "champion")
        config = tmp_path / "config.json"
        config.write_text(
            json.dumps(
                {
                    "DATABRICKS_URL": registry.url,
                    "DATABRICKS_ACCESS_TOKEN": "t",
                    "MODEL_URI": f"models:/{name}@champion",
                    "SERVICE_NAME": "churn",
                    "KUBECONFIG_PATH": str(kubeconfig),
                    "CONTAINER_REGISTRY_TYPE": "acr",
                    "ACR": "x.azurecr.io",
                    "SERVICE_PRINCIPAL_ID": "p",
                    "SERVICE_PRINCIPAL_PASSWORD": "q",
                }
            )
        )
        staged = deploy_to_kyma(config, dry_run=True, folder=tmp_path / "out")
    assert staged.dockerfile.startswith("FROM python:3.11-slim\n")
    assert staged.endpoint == "https://churn.x.kyma.example.com/invocations"
    assert {path.name for path in (tmp_path / "out" / "context" / "model").iterdir()} >= {"MLmodel", "requirements.txt"}
    assert not (tmp_path / "home" / ".databrickscfg").exists()
