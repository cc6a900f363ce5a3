"""Both generations of the official Python SDK, each in an environment of its own, through the life of every object."""

import subprocess
from pathlib import Path

import pytest

from mooring.services.tracking_addresses import TrackedExecution, tracking_endpoint
from tests.api.api_server import Server
from tests.clients.environments import CHECKOUT, python_with
from tests.clients.python_life import __main__ as life
from tests.clients.python_life.world import DATA_INPUT, SCENARIO, WORKFLOW

_MOST_SECONDS = 120


@pytest.mark.slow
@pytest.mark.parametrize("generation", [2, 3])
def test_a_whole_life(generation: int, server: Server, environment: dict[str, str], tmp_path: Path) -> None:
    inside = _from_inside(server, environment["AICORE_RESOURCE_GROUP"])
    told = _live(python_with(f"sdk{generation}"), environment | inside, tmp_path)
    assert f"generation {generation}" in told
    done = {line.removeprefix("done ").strip() for line in told if line.startswith("done ")}
    assert done == {step.__name__ for step in life.STEPS}


def _from_inside(server: Server, group: str) -> dict[str, str]:
    """An execution, and the address by which it tracks itself: what the life shows to the SDK as a container's own."""
    with server.http(group) as http:
        data = {"name": "d", "kind": "dataset", "url": "ai://default/d", "scenarioId": SCENARIO}
        artifact = http.post("/v2/lm/artifacts", json=data).json()["id"]
        bindings = [{"key": DATA_INPUT, "artifactId": artifact}]
        training = {"name": "t", "scenarioId": SCENARIO, "executableId": WORKFLOW, "inputArtifactBindings": bindings}
        configuration = http.post("/v2/lm/configurations", json=training).json()["id"]
        execution = http.post("/v2/lm/executions", json={"configurationId": configuration}).json()["id"]
    endpoint = tracking_endpoint(server.url, TrackedExecution(execution, group), server.context.vault)
    return {"LIFE_EXECUTION_ID": execution, "LIFE_TRACKING_ENDPOINT": endpoint}


def _live(python: Path, environment: dict[str, str], home: Path) -> list[str]:
    done = subprocess.run(
        [python, "-m", "tests.clients.python_life"],
        cwd=CHECKOUT,
        env={**environment, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=_MOST_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()
