"""A team's own server in a whole installation: from a template to answers, with a real program in a real sandbox."""

import base64
import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import podman
from tests.prober import Prober
from tests.system import serving
from tests.system.running_mooring import RunningMooring, wait_until

pytestmark = pytest.mark.slow
CANARY = "c4n4ry-of-the-team"


class Team(RunningMooring):
    """An installation, and the image in which the team's server lies there."""

    image = serving.IMAGE

    def install(self, *changes: tuple[str, str]) -> str:
        """Sync the template with these replacements; the sync's message."""
        text = serving.TEMPLATE.replace(serving.IMAGE, self.image)
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        return serving.install(self.home, text)


@pytest.fixture(scope="module", params=["sandbox", "podman"])
def mooring(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("serving")
    program = serving.program(folder / "src")
    with _in_sandboxes(folder, program) if request.param == "sandbox" else _in_containers(folder, program) as running:
        running.install()
        call(running, "PUT", "/v2/lm/dataset/files/default/models/one/weights.txt", content=b"w1")
        secret = {"name": "team-secret", "data": {"api-key": base64.b64encode(CANARY.encode()).decode()}}
        call(running, "POST", "/v2/admin/secrets", json=secret)
        yield running


@contextmanager
def _in_sandboxes(folder: Path, program: Path) -> Iterator[Team]:
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is missing: apt-get install bubblewrap")
    with Team(folder / "home", serving.stand_ins(program)) as running:
        yield running


@contextmanager
def _in_containers(folder: Path, program: Path) -> Iterator[Team]:
    if podman.client() is None:
        pytest.skip(podman.SKIPPED)
    environment = {
        "MOORING_RUNTIME": "container",
        "MOORING_CONTAINER_ENGINE": "podman",
        "MOORING_CONTAINER_ENGINE_OPTIONS": json.dumps(podman.create_options()),
    }
    running = Team(folder / "home", environment)
    running.image = podman.image_with(program, "/app/src")
    try:
        with running:
            yield running
    finally:
        podman.podman("rmi", "--force", running.image)


@cache
def headers(mooring: Team) -> dict[str, str]:
    return {**mooring.headers(), "AI-Resource-Group": "default"}


def call(mooring: Team, method: str, path: str, **more: Any) -> httpx.Response:
    answer = httpx.request(method, mooring.url + path, headers=headers(mooring), timeout=30, **more)
    return answer.raise_for_status()


def configure(mooring: Team, **values: str) -> str:
    artifact = {"name": "w", "kind": "model", "url": "ai://default/models/one", "scenarioId": serving.SCENARIO}
    artifact_id = call(mooring, "POST", "/v2/lm/artifacts", json=artifact).json()["id"]
    configuration = {
        "name": "team",
        "scenarioId": serving.SCENARIO,
        "executableId": serving.NAME,
        "parameterBindings": [{"key": key, "value": value} for key, value in values.items()],
        "inputArtifactBindings": [{"key": "weights", "artifactId": artifact_id}],
    }
    return str(call(mooring, "POST", "/v2/lm/configurations", json=configuration).json()["id"])


def deploy(mooring: Team, **values: str) -> str:
    configuration = configure(mooring, **values)
    created = call(mooring, "POST", "/v2/lm/deployments", json={"configurationId": configuration}).json()
    settle(mooring, created["id"])
    return str(created["id"])


def settle(mooring: Team, deployment_id: str) -> dict[str, Any]:
    def over() -> dict[str, Any] | None:
        shown: dict[str, Any] = call(mooring, "GET", f"/v2/lm/deployments/{deployment_id}").json()
        return shown if shown["status"] in ("RUNNING", "DEAD") else None

    shown: dict[str, Any] = wait_until(over, what=f"the end of the change of {deployment_id}")
    assert shown["status"] == "RUNNING", (shown, messages(mooring, deployment_id))
    return shown


def messages(mooring: Team, deployment_id: str) -> list[str]:
    lines = call(mooring, "GET", f"/v2/lm/deployments/{deployment_id}/logs").json()["data"]["result"]
    return [f"{line['container']}: {line['msg'].rstrip()}" for line in lines]


def ask(mooring: Team, deployment_id: str, path: str = "v2/hello/") -> dict[str, Any]:
    answer: dict[str, Any] = call(mooring, "POST", f"/v2/inference/deployments/{deployment_id}/{path}").json()
    return answer


@pytest.fixture
def deployment(mooring: Team) -> Iterator[str]:
    deployment_id = deploy(mooring)
    yield deployment_id
    mooring.remove(deployment_id)


def test_it_answers_with_all_that_its_template_gives_it(mooring: Team, deployment: str) -> None:
    seen = ask(mooring, deployment)
    assert (seen["greeting"], seen["model"], seen["storage"]) == ("hi", "w1", "/mnt/models")
    assert (seen["key"], seen["file"]) == (CANARY, CANARY)
    assert seen["user"] != 0
    assert ask(mooring, deployment)["host"] == seen["host"]
    assert messages(mooring, deployment) == ["kserve-container: greets with hi"]


def test_a_secret_is_in_no_file_but_the_one_that_is_mounted(mooring: Team, deployment: str) -> None:
    assert ask(mooring, deployment)["key"] == CANARY
    holding = [path for path in mooring.home.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert [path.relative_to(mooring.home).parts[0] for path in holding] == ["workspaces"]
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            assert CANARY.encode() not in line.read_bytes()


def test_a_patch_loses_no_request(mooring: Team, deployment: str) -> None:
    other = configure(mooring, greeting="salve")
    url = f"{mooring.url}/v2/inference/deployments/{deployment}/v2/hello/"
    with Prober(url, method="POST", body=b"x", headers=headers(mooring), clients=4) as prober:
        prober.wait_for(20)
        call(mooring, "PATCH", f"/v2/lm/deployments/{deployment}", json={"configurationId": other})
        assert settle(mooring, deployment)["lastOperation"] == "UPDATE"
        assert ask(mooring, deployment)["greeting"] == "salve"
        wait_until(lambda: len(mooring.replica_pids()) == 1, what="the end of the old replica")
        prober.wait_for(20)
    assert not prober.failures, str(prober)


def test_a_changed_template_reaches_what_runs(mooring: Team, deployment: str) -> None:
    try:
        told = mooring.install(('default: "hi"', 'default: "hello"'))
        assert "1 deployments updated" in told
        assert settle(mooring, deployment)["lastOperation"] == "CASCADE-UPDATE"
        assert ask(mooring, deployment)["greeting"] == "hello"
    finally:
        mooring.install()


def test_two_replicas_serve_and_a_dead_one_is_replaced(mooring: Team) -> None:
    deployment = deploy(mooring, replicas="2")

    def hosts() -> set[str]:
        return {ask(mooring, deployment)["host"] for _ in range(20)}

    before = wait_until(lambda: (found := hosts()) and len(found) == 2 and found, what="both replicas")
    os.kill(mooring.replica_pids()[0], signal.SIGKILL)

    def others() -> set[str]:
        try:
            return hosts()
        except httpx.HTTPStatusError as error:  # what the dead one had begun is nobody's to send again
            if error.response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                raise
            return set()

    after = wait_until(lambda: (found := others()) and len(found) == 2 and found != before and found, what="the third")
    assert len(after & before) == 1
    mooring.remove(deployment)
    assert list((mooring.home / "workspaces").iterdir()) == []


def test_a_server_that_cannot_start_says_why(mooring: Team) -> None:
    deployment = deploy(mooring)
    try:
        broken = ("exec python3 /app/src/serve.py", "echo no luck today; exit 7")
        assert "1 deployments updated" in mooring.install(broken)
        wait_until(lambda: call(mooring, "GET", f"/v2/lm/deployments/{deployment}").json()["status"] == "DEAD")
        shown = call(mooring, "GET", f"/v2/lm/deployments/{deployment}").json()
        assert "7" in shown["statusMessage"]
        assert "kserve-container: no luck today" in messages(mooring, deployment)
        assert ask(mooring, deployment)["greeting"] == "hi", "what served serves on"
    finally:
        mooring.install()
        mooring.remove(deployment)


def test_it_outlives_the_control_plane(mooring: Team, deployment: str) -> None:
    host = ask(mooring, deployment)["host"]
    mooring.kill("control-plane")
    mooring.up()
    assert ask(mooring, deployment)["host"] == host
    assert settle(mooring, deployment)["status"] == "RUNNING"
