"""A change that is watched and fails: what served before serves again, and the deployment says why."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mooring.client.deployments import Deployment
from mooring.client.errors import PreconditionFailed
from mooring.client.rollouts import Rollout
from tests.prober import Prober
from tests.system.models import ROW, Models
from tests.system.running_mooring import RunningMooring, wait_until

pytestmark = pytest.mark.slow
BODY = json.dumps(ROW).encode()
WATCHED = Rollout(window_seconds=30, max_error_rate=0.05, min_requests=20)


@pytest.fixture(scope="module")
def served(mooring: RunningMooring, models: Models) -> Iterator[Deployment]:
    deployed = mooring.deploy(models.times(2))
    yield deployed
    mooring.remove(deployed.id)


@pytest.fixture
def deployment(mooring: RunningMooring, served: Deployment) -> Deployment:
    """One for all tests: each leaves it as it was, or with another configuration that answers the same."""
    wait_until(lambda: len(mooring.replica_pids()) == 1, what="the end of what another test has left")
    return mooring.deployment(served.id)


def returned(mooring: RunningMooring, before: Deployment, failed: str) -> Deployment:
    """The deployment once the change to `failed` has been taken back."""

    def seen() -> Deployment | None:
        found = mooring.deployment(before.id)
        assert found.status != "DEAD", found.status_message
        return found if found.returned_from(failed) is not None and found.status == "RUNNING" else None

    found: Deployment = wait_until(seen, what="the way back")
    assert (found.configuration_id, found.latest_running_configuration_id) == (before.configuration_id,) * 2
    assert found.deployment_url == before.deployment_url
    assert failed in (found.status_message or "")
    return found


def test_errors_within_the_window_cost_only_the_requests_that_the_bad_version_answered(
    mooring: RunningMooring, models: Models, deployment: Deployment
) -> None:
    def good(response: httpx.Response) -> bool:
        return response.status_code == httpx.codes.OK and response.json()["predictions"] == [2.0, 4.0]

    url = f"{deployment.deployment_url}/invocations"
    with Prober(url, method="POST", body=BODY, headers=mooring.headers(), clients=4, check=good) as traffic:
        traffic.wait_for(50)
        failed = mooring.patch(deployment.id, models.uri("fails"), rollout=WATCHED)
        found = returned(mooring, deployment, failed)
        failures = traffic.failed
        traffic.wait_for(100)
        wait_until(lambda: len(mooring.replica_pids()) == 1, what="the end of the bad replica")
        assert traffic.failed == failures, "the good one answers everything again"
    assert traffic.failures
    assert all("the weights are wrong" in each.reason for each in traffic.failures), str(traffic)
    assert "requests were answered with 500 or above" in (found.returned_from(failed) or "")


@pytest.mark.parametrize(("bad", "reason"), [("cannot-load", "the weights are missing"), ("dies-later", "SIGSEGV")])
def test_one_that_cannot_start_or_dies_costs_no_request(
    mooring: RunningMooring, models: Models, deployment: Deployment, bad: str, reason: str
) -> None:
    def good(response: httpx.Response) -> bool:
        allowed = ([2.0, 4.0], [1.0, 2.0]) if bad == "dies-later" else ([2.0, 4.0],)
        return response.status_code == httpx.codes.OK and response.json()["predictions"] in allowed

    url = f"{deployment.deployment_url}/invocations"
    with Prober(url, method="POST", body=BODY, headers=mooring.headers(), clients=2, check=good) as traffic:
        failed = mooring.patch(deployment.id, models.uri(bad), rollout=WATCHED)
        found = returned(mooring, deployment, failed)
        traffic.wait_for(50)
    assert traffic.failed == 0, str(traffic)
    assert reason in (found.returned_from(failed) or "")


def test_whoever_comes_after_a_control_plane_that_was_killed_goes_back_too(
    mooring: RunningMooring, models: Models, deployment: Deployment
) -> None:
    before = set(mooring.replica_pids())
    changed = mooring.patch(deployment.id, models.times(3), rollout=Rollout(window_seconds=600))
    wait_until(lambda: mooring.deployment(deployment.id).runs(changed), what="the switch")
    mooring.kill("control-plane")
    (new,) = set(mooring.replica_pids()) - before
    mooring.up()
    assert mooring.deployment(deployment.id).is_watched(), "the window is not over"
    os.kill(new, signal.SIGKILL)
    found = returned(mooring, deployment, changed)
    assert "SIGKILL" in (found.returned_from(changed) or "")
    assert set(mooring.replica_pids()) == before, "what served before stood by all the time"


def test_a_good_one_is_kept_after_its_window(mooring: RunningMooring, models: Models, deployment: Deployment) -> None:
    changed = mooring.patch(deployment.id, models.times(2), rollout=Rollout(window_seconds=0))
    wait_until(lambda: mooring.deployment(deployment.id).runs(changed), what="the switch")
    wait_until(lambda: not mooring.deployment(deployment.id).is_watched(), what="the end of the window")
    wait_until(lambda: len(mooring.replica_pids()) == 1, what="the end of what served before")
    found = mooring.deployment(deployment.id)
    assert found.runs(changed)
    assert not found.status_message


def test_a_deploy_that_went_back_fails_with_the_reason(mooring: RunningMooring, models: Models, tmp_path: Path) -> None:
    def deploy(model_uri: str, exit_code: int) -> dict[str, Any]:
        bindings = {"modelUri": model_uri, "modelName": "returning"}
        configuration = {
            **{"name": "returning", "scenario_id": "mooring", "executable_id": "model-server"},
            "parameter_bindings": [{"key": key, "value": value} for key, value in bindings.items()],
        }
        rollout = {"on_failure": "return", "window_seconds": 1}
        content = {"deployments": [{"configuration": configuration}], "rollout": rollout}
        (tmp_path / "config.json").write_text(json.dumps(content))
        done = mooring.run("deploy", str(tmp_path / "config.json"), "--json", accepted=(exit_code,))
        (result,) = json.loads(done.stdout)["results"]
        return dict(result)

    good = deploy(models.times(2), 0)
    better = deploy(models.times(3), 0)
    assert (better["action"], better["id"], better["verdict"]) == ("changed", good["id"], "reached")
    assert not mooring.deployment(good["id"]).is_watched(), "it was waited for the end of the window"
    bad = deploy(models.uri("cannot-load"), 1)
    assert (bad["verdict"], bad["id"]) == ("failed", good["id"])
    assert "the weights are missing" in bad["message"]
    answer = httpx.post(f"{good['url']}/invocations", content=BODY, headers=mooring.headers())
    assert answer.json()["predictions"] == [3.0, 6.0]
    mooring.remove(good["id"])


def test_what_makes_no_sense_is_refused_before_anything_is_touched(
    mooring: RunningMooring, models: Models, deployment: Deployment
) -> None:
    configuration = mooring.configure(models.times(5))
    for header in ("stay", "return; window=-1", "return; max-error-rate=2", "return; speed=1", "return; window=soon"):
        answer = httpx.patch(
            f"{mooring.url}/v2/lm/deployments/{deployment.id}",
            json={"configurationId": configuration},
            headers=mooring.headers() | {"Mooring-Rollout": header},
        )
        assert answer.status_code == httpx.codes.BAD_REQUEST, answer.text
        assert "Mooring-Rollout" in answer.json()["error"]["message"]
    assert mooring.deployment(deployment.id).configuration_id == deployment.configuration_id


def test_what_does_not_fit_the_memory_is_refused_before_anything_is_touched(empty_home: Path, models: Models) -> None:
    """The reserve is what only a machine much larger than this one could spare."""
    reserve = {"MOORING_MEMORY_RESERVE_BYTES": str(1 << 50)}
    with RunningMooring(empty_home, {"MOORING_MODEL_FOLDERS": f'["{models.folder}"]'} | reserve) as mooring:
        with pytest.raises(PreconditionFailed, match=r"this machine has no memory.*memory_reserve_bytes"):
            mooring.deploy(models.times(2))
        with mooring.client() as client:
            assert client.deployments.list() == []
        assert mooring.replica_pids() == []
