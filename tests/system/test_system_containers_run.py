"""A team's images in a whole installation with a real container engine: a training, its metrics, a server."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import podman
from tests.system import serving, training
from tests.system.running_mooring import RunningMooring, wait_until

pytestmark = pytest.mark.slow
CANARY = "c4n4ry-in-a-container"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """With the programs of both teams in /app/src."""
    if podman.client() is None:
        pytest.skip(podman.SKIPPED)
    folder = tmp_path_factory.mktemp("image") / "src"
    training.stand_ins(folder)
    (folder / "serve.py").write_text(serving.SERVE_PY)
    name = podman.image_with(folder, "/app/src")
    yield name
    podman.podman("rmi", "--force", name)


@pytest.fixture(scope="module")
def mooring(tmp_path_factory: pytest.TempPathFactory, image: str) -> Iterator[RunningMooring]:
    settings = {
        "MOORING_RUNTIME": "container",
        "MOORING_CONTAINER_ENGINE": "podman",
        "MOORING_CONTAINER_ENGINE_OPTIONS": json.dumps(podman.create_options()),
    }
    home = tmp_path_factory.mktemp("containers") / "home"
    with cleaned(home), RunningMooring(home, settings) as running:
        specs = {"train": training.TRAIN, "track": training.RUN.format(program="track.py")}
        training.install(running.home, **{name: spec.replace(training.IMAGE, image) for name, spec in specs.items()})
        serving.install(running.home, serving.TEMPLATE.replace(serving.IMAGE, image))
        yield running


@contextmanager
def cleaned(home: Path) -> Iterator[None]:
    """What `mooring down` leaves for the next `mooring up`: containers that have ended, networks."""
    label = f"label=mooring.home={sha256(str(home).encode()).hexdigest()[:16]}"
    try:
        yield
    finally:
        for kind, every in (("container", "--all"), ("network", "--quiet")):
            for found in podman.podman(kind, "ls", every, "--quiet", "--filter", label).split():
                podman.podman(kind, "rm", "--force", found)


def call(mooring: RunningMooring, method: str, path: str, **more: Any) -> Any:
    headers = {**mooring.headers(), "AI-Resource-Group": "default"}
    answer = httpx.request(method, mooring.url + path, headers=headers, timeout=30, **more)
    assert answer.is_success, answer.text
    return answer.json() if answer.headers.get("content-type", "").startswith("application/json") else answer.text


def artifact(mooring: RunningMooring, scenario: str, kind: str, content: bytes) -> str:
    call(mooring, "PUT", f"/v2/lm/dataset/files/default/{kind}/weights.txt", content=content)
    body = {"name": kind, "kind": kind, "url": f"ai://default/{kind}", "scenarioId": scenario}
    return str(call(mooring, "POST", "/v2/lm/artifacts", json=body)["id"])


def configure(mooring: RunningMooring, scenario: str, executable: str, artifacts: dict[str, str]) -> str:
    body = {
        "name": executable,
        "scenarioId": scenario,
        "executableId": executable,
        "parameterBindings": [],
        "inputArtifactBindings": [{"key": key, "artifactId": value} for key, value in artifacts.items()],
    }
    return str(call(mooring, "POST", "/v2/lm/configurations", json=body)["id"])


def run(mooring: RunningMooring, executable: str, **artifacts: str) -> dict[str, Any]:
    """The execution at its end, and all that it has written."""
    configuration = configure(mooring, "demo-scenario", executable, artifacts)
    made = call(mooring, "POST", "/v2/lm/executions", json={"configurationId": configuration})
    path = f"/v2/lm/executions/{made['id']}"
    over = ("COMPLETED", "DEAD", "STOPPED")
    wait_until(lambda: call(mooring, "GET", path)["status"] in over, what=f"the end of {made['id']}")
    lines = call(mooring, "GET", f"{path}/logs")["data"]["result"]
    return {**call(mooring, "GET", path), "said": [line["msg"].rstrip() for line in lines]}


def test_a_training_in_a_container_ends_with_a_model(mooring: RunningMooring) -> None:
    rows = artifact(mooring, "demo-scenario", "dataset", b"some rows")
    done = run(mooring, "train", rows=rows)
    assert (done["status"], done["said"]) == ("COMPLETED", ["found ['weights.txt']", "as user 65534"]), done
    assert call(mooring, "GET", f"/v2/lm/dataset/files/default/{done['id']}/trained/weights.txt") == "some rows x 3"
    assert containers_of(mooring) == []


def test_a_program_in_a_container_tracks_itself_with_the_sdk(mooring: RunningMooring) -> None:
    done = run(mooring, "track")
    assert (done["status"], done["said"][-1]) == ("COMPLETED", "tracked"), done
    (resource,) = call(mooring, "GET", f"/v2/lm/metrics?executionIds={done['id']}")["resources"]
    assert [(metric["name"], metric["value"]) for metric in resource["metrics"]] == [("loss", 0.25)]


def test_a_server_in_a_container_answers_and_leaves_nothing(mooring: RunningMooring) -> None:
    secret = {"name": "team-secret", "data": {"api-key": base64.b64encode(CANARY.encode()).decode()}}
    call(mooring, "POST", "/v2/admin/secrets", json=secret)
    weights = artifact(mooring, serving.SCENARIO, "model", b"w1")
    configuration = configure(mooring, serving.SCENARIO, serving.NAME, {"weights": weights})
    deployment = call(mooring, "POST", "/v2/lm/deployments", json={"configurationId": configuration})["id"]
    path = f"/v2/lm/deployments/{deployment}"
    wait_until(lambda: call(mooring, "GET", path)["status"] in ("RUNNING", "DEAD"), what="its start")
    assert call(mooring, "GET", path)["status"] == "RUNNING", call(mooring, "GET", path)
    seen = call(mooring, "POST", f"/v2/inference/deployments/{deployment}/v2/hello/")
    assert (seen["greeting"], seen["model"], seen["key"], seen["file"]) == ("hi", "w1", CANARY, CANARY)
    assert seen["user"] == 65534
    files = [path for path in mooring.home.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert {path.relative_to(mooring.home).parts[0] for path in files} == {"workspaces"}
    mooring.kill("control-plane")
    mooring.up()
    again = call(mooring, "POST", f"/v2/inference/deployments/{deployment}/v2/hello/")
    assert again["host"] == seen["host"]
    mooring.remove(deployment)
    wait_until(lambda: containers_of(mooring) == [], what="the end of its container")


def containers_of(mooring: RunningMooring) -> list[str]:
    """Those of its runs, by what its folders say and the engine knows."""
    runs = [path.name for path in (mooring.home / "replicas").iterdir() if not path.name.startswith(".")]
    known = podman.podman("ps", "--all", "--format", "{{.Names}}").split()
    return [name for name in known if name.removeprefix("mooring-") in runs] + [
        Path(port).name for port in (mooring.home / "run/containers/ports").glob("*")
    ]
