"""The static URL: versions change under traffic, and no caller notices but by the answers."""

import json

import httpx
import pytest

from tests.prober import Prober
from tests.system.models import ROW, Models
from tests.system.running_mooring import RunningMooring, wait_until

pytestmark = pytest.mark.slow
BODY = json.dumps(ROW).encode()


def test_four_changes_under_traffic_lose_nothing_and_end_with_one_replica(
    mooring: RunningMooring, models: Models
) -> None:
    deployment = mooring.deploy(models.times(2))

    def known(response: httpx.Response) -> bool:
        return response.status_code == httpx.codes.OK and response.json()["predictions"][1] in (4.0, 6.0, 10.0)

    url = f"{deployment.deployment_url}/invocations"
    with Prober(url, method="POST", body=BODY, headers=mooring.headers(), clients=16, check=known) as traffic:
        for factor in (3, 5, 2, 3):
            configuration = mooring.patch(deployment.id, models.times(factor))
            pending = mooring.deployment(deployment.id)
            assert pending.status == "PENDING", "a client that waits for RUNNING must not see the old RUNNING"
            with mooring.client() as client:
                running = client.deployments.wait(
                    deployment.id, configuration_id=configuration, timeout_seconds=60, poll_seconds=0.05
                )
            assert running.deployment_url == deployment.deployment_url
            answer = httpx.post(url, content=BODY, headers=mooring.headers())
            assert answer.json()["predictions"] == [factor * 1.0, factor * 2.0], (
                "RUNNING means that the new one answers"
            )
            traffic.wait_for(100)
        wait_until(lambda: len(mooring.replica_pids()) == 1, what="the end of the old replicas")
        traffic.wait_for(100)
    assert traffic.failed == 0, str(traffic)
    mooring.remove(deployment.id)
    assert mooring.replica_pids() == []


def test_a_slow_request_that_began_before_the_change_is_answered_by_the_old_version(
    mooring: RunningMooring, models: Models
) -> None:
    deployment = mooring.deploy(models.uri("slow"))

    def known(response: httpx.Response) -> bool:
        return response.status_code == httpx.codes.OK and response.json()["predictions"][0] in (7.0, 2.0)

    url = f"{deployment.deployment_url}/invocations"
    with Prober(url, method="POST", body=BODY, headers=mooring.headers(), clients=4, check=known) as traffic:
        traffic.wait_for(4)
        configuration = mooring.patch(deployment.id, models.times(2))
        with mooring.client() as client:
            client.deployments.wait(deployment.id, configuration_id=configuration, timeout_seconds=60)
        wait_until(lambda: len(mooring.replica_pids()) == 1, what="the end of the old replica")
        traffic.wait_for(20)
    assert traffic.failed == 0, str(traffic)
    mooring.remove(deployment.id)
