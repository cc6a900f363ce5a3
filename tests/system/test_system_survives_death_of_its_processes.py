"""`kill -9` of the control plane, of a replica, of the gateway: what the callers notice."""

import json
import os
import signal
from collections.abc import Iterator

import httpx
import pytest

from mooring.client.deployments import Deployment
from tests.prober import Prober
from tests.system.models import ROW, Models
from tests.system.running_mooring import RunningMooring, wait_until

pytestmark = pytest.mark.slow
BODY = json.dumps(ROW).encode()


def doubled(response: httpx.Response) -> bool:
    return response.status_code == httpx.codes.OK and response.json()["predictions"] == [2.0, 4.0]


@pytest.fixture
def deployment(mooring: RunningMooring, models: Models) -> Iterator[Deployment]:
    deployed = mooring.deploy(models.times(2))
    yield deployed
    mooring.remove(deployed.id)


def prober(mooring: RunningMooring, deployment: Deployment) -> Prober:
    url = f"{deployment.deployment_url}/invocations"
    return Prober(url, method="POST", body=BODY, headers=mooring.headers(), clients=8, check=doubled)


def test_traffic_goes_on_without_the_control_plane_and_the_next_one_adopts_everything(
    mooring: RunningMooring, deployment: Deployment
) -> None:
    gateway, replicas = mooring.pid_of("gateway"), mooring.replica_pids()
    with prober(mooring, deployment) as traffic:
        traffic.wait_for(200)
        mooring.kill("control-plane")
        wait_until(lambda: not mooring.status()["ready"], what="the death of the control plane")
        traffic.wait_for(500)
        assert mooring.run("status", accepted=(3,)).returncode == 3
        mooring.up()
        traffic.wait_for(500)
    assert traffic.failed == 0, str(traffic)
    assert (mooring.pid_of("gateway"), mooring.replica_pids()) == (gateway, replicas), "adopted, nothing started twice"
    assert mooring.deployment(deployment.id).status == "RUNNING"


def test_what_was_asked_for_before_the_death_is_done_after_it(
    mooring: RunningMooring, models: Models, deployment: Deployment
) -> None:
    """The control plane dies right after it has accepted a PATCH."""
    with prober(mooring, deployment) as traffic:
        traffic.wait_for(50)
        configuration = mooring.patch(deployment.id, models.uri("times2"))
        mooring.kill("control-plane")
        mooring.up()
        wait_until(
            lambda: mooring.deployment(deployment.id).latest_running_configuration_id == configuration,
            what="the new configuration",
        )
        wait_until(lambda: len(mooring.replica_pids()) == 1, what="the end of the old replica")
        traffic.wait_for(100)
    assert traffic.failed == 0, str(traffic)


def test_a_killed_replica_is_replaced_and_its_unanswered_requests_are_retried(
    mooring: RunningMooring, deployment: Deployment
) -> None:
    (victim,) = mooring.replica_pids()
    with prober(mooring, deployment) as traffic:
        traffic.wait_for(200)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: mooring.replica_pids() not in ([victim], []), what="the replacement")
        traffic.wait_for(500)
    assert traffic.failed == 0, str(traffic)
    assert mooring.deployment(deployment.id).status == "RUNNING"


def test_a_killed_gateway_is_started_again_with_its_routes(mooring: RunningMooring, deployment: Deployment) -> None:
    before = mooring.pid_of("gateway")
    mooring.kill("gateway")
    wait_until(lambda: mooring.status()["gateway"]["pid"] not in (None, before), what="the new gateway")
    with prober(mooring, deployment) as traffic:
        traffic.wait_for(100)
    assert traffic.failed == 0, str(traffic)


def test_the_logs_of_a_dead_replica_can_still_be_read(mooring: RunningMooring, deployment: Deployment) -> None:
    (victim,) = mooring.replica_pids()
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: mooring.replica_pids() not in ([victim], []), what="the replacement")
    with mooring.client() as client:
        pods = {line.pod for line in client.deployments.logs(deployment.id)}
    assert pods, "the replicas have written something"


def test_a_request_that_kills_replicas_kills_two_and_the_others_are_answered(
    mooring: RunningMooring, deployment: Deployment
) -> None:
    """The model dies (SIGKILL) on the value 666."""
    (victim,) = mooring.replica_pids()
    url = f"{deployment.deployment_url}/invocations"
    with prober(mooring, deployment) as traffic:
        traffic.wait_for(100)
        poison = httpx.post(url, json={"inputs": [[666.0]]}, headers=mooring.headers(), timeout=60)
        assert poison.status_code == httpx.codes.INTERNAL_SERVER_ERROR
        traffic.wait_for(200)
    assert traffic.failed == 0, str(traffic)
    assert len(mooring.replica_pids()) == 1
    assert mooring.replica_pids() != [victim]
    with mooring.client() as client:
        assert len({line.pod for line in client.deployments.logs(deployment.id)}) == 3, "two replicas were killed"
        assert client.deployments.get(deployment.id).status == "RUNNING"
