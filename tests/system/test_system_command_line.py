"""`up`, `status`, `env`, `down`: what a person at a terminal gets."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from mooring.processes import identify, is_alive
from tests.system.models import Models
from tests.system.running_mooring import PROGRAM, RunningMooring, wait_until


def test_the_service_key_has_the_shape_of_saps_and_is_private(mooring: RunningMooring) -> None:
    path = mooring.home / "service-key.json"
    assert path.stat().st_mode & 0o777 == 0o600
    key = json.loads(path.read_text())
    assert {"clientid", "clientsecret", "url", "serviceurls", "identityzone", "appname"} <= set(key)
    assert key["serviceurls"]["AI_API_URL"] == key["url"] == mooring.url


def test_env_prints_exports_that_a_shell_understands(mooring: RunningMooring) -> None:
    script = f'eval "$({PROGRAM} env)"; echo "$AICORE_BASE_URL $AICORE_AUTH_URL $DESTINATION_BASE_URL"'
    done = subprocess.run(["bash", "-c", script], env=mooring.environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [f"{mooring.url}/v2", mooring.url, mooring.url]


def test_status_names_processes_address_and_home(mooring: RunningMooring) -> None:
    status = mooring.status()
    assert status["home"] == str(mooring.home)
    assert status["gateway"]["address"] == mooring.url
    assert {"control-plane", "gateway"} <= {process["name"] for process in status["processes"]}
    for process in status["processes"]:
        assert identify(process["pid"]) is not None


def test_health_needs_no_token_and_everything_else_does(mooring: RunningMooring) -> None:
    assert httpx.get(f"{mooring.url}/healthz").status_code == httpx.codes.OK
    assert httpx.get(f"{mooring.url}/readyz").status_code == httpx.codes.OK
    assert httpx.get(f"{mooring.url}/v2/lm/deployments").status_code == httpx.codes.UNAUTHORIZED
    assert httpx.get(f"{mooring.url}/v2/lm/deployments", headers=mooring.headers()).status_code == httpx.codes.OK


def test_a_second_one_in_the_same_home_is_refused_in_words(mooring: RunningMooring) -> None:
    done = mooring.run("up", accepted=(1,))
    assert "runs already" in done.stderr
    assert "mooring down" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_named(empty_home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = {**os.environ, "MOORING_HOME": str(empty_home)}
        done = subprocess.run(
            [PROGRAM, "up", "--port", port], env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_down_ends_everything_and_the_next_up_serves_the_same_again(tmp_path: Path, models: Models) -> None:
    mooring = RunningMooring(tmp_path / "home", {"MOORING_MODEL_FOLDERS": f'["{models.folder}"]'})
    with mooring:
        deployment = mooring.deploy(models.times(2))
        address = mooring.url
        before = [(p["name"], identify(p["pid"])) for p in mooring.status()["processes"]]
        mooring.down()
        assert [(name, process) for name, process in before if process and is_alive(process)] == []
        assert not mooring.status()["ready"]
        mooring.up()
        assert mooring.url == address, "a free port is chosen once"
        body, headers = {"inputs": [[1.0], [2.0]]}, mooring.headers()
        url = f"{deployment.deployment_url}/invocations"
        wait_until(lambda: httpx.post(url, json=body, headers=headers).is_success, what="an answer")
        assert mooring.deployment(deployment.id).status == "RUNNING"
    assert mooring.replica_pids() == []


@pytest.mark.parametrize("arguments", [["status"], ["env"], ["ls"], ["logs", "d123"]])
def test_commands_without_an_installation_say_what_to_do(empty_home: Path, arguments: list[str]) -> None:
    environment = {**os.environ, "MOORING_HOME": str(empty_home)}
    done = subprocess.run([PROGRAM, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (1, 3)
    assert "mooring up" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["", "up", "status", "down", "env", "serve", "ls", "logs", "predict"])
def test_every_command_explains_itself(command: str) -> None:
    done = subprocess.run([PROGRAM, *command.split(), "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Usage" in done.stdout


@pytest.mark.parametrize("module", ["cli.up", "system.status", "system.shutdown", "system.service_key"])
def test_who_only_looks_or_ends_loads_no_control_plane(module: str) -> None:
    loaded = f"import sys, mooring.{module}; print(*sorted({{'sqlalchemy', 'fastapi', 'mlflow'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.slow
def test_down_in_the_middle_of_a_start_is_made_good_by_the_next_up(tmp_path: Path, models: Models) -> None:
    settings = {"MOORING_MODEL_FOLDERS": f'["{models.folder}"]', "MOORING_FORK_SERVERS": "false"}
    mooring = RunningMooring(tmp_path / "home", settings)
    with mooring:
        configuration = mooring.configure(models.times(2))
        with mooring.client() as client:
            created = client.deployments.create(configuration)
        wait_until(mooring.replica_pids, what="a replica that starts")
        mooring.down()
        mooring.up()
        assert mooring.wait_for_status(created, "RUNNING").status_message == ""


def test_a_start_that_fails_ends_what_it_began(empty_home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = {**os.environ, "MOORING_HOME": str(empty_home)}
        command = [PROGRAM, "up", "--with-mlflow", "--port", port]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    status = subprocess.run([PROGRAM, "status", "--json"], env=environment, capture_output=True, text=True, check=False)
    assert [p for p in json.loads(status.stdout)["processes"] if p["pid"]] == []


@pytest.mark.parametrize(
    "environment",
    [{"MOORING_HOME": "/proc/nope"}, {"MOORING_DATABASE_URL": "nonsense"}, {"MOORING_PORT": "many"}],
    ids=["home", "database", "port"],
)
def test_wrong_settings_are_told_in_a_line(empty_home: Path, environment: dict[str, str]) -> None:
    everything = {**os.environ, "MOORING_HOME": str(empty_home), **environment}
    done = subprocess.run([PROGRAM, "up"], env=everything, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "mooring: " in done.stderr
    assert "Traceback" not in done.stderr
