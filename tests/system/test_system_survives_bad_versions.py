"""A new version that cannot load, hangs, or dies: the old one serves on, and the reason can be read."""

import json
from collections.abc import Iterator

import httpx
import pytest

from mooring.client.deployments import Deployment
from tests.prober import Prober
from tests.system.models import ROW, Models
from tests.system.running_mooring import RunningMooring, wait_until

pytestmark = pytest.mark.slow
BODY = json.dumps(ROW).encode()


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Iterator[RunningMooring]:
    """An installation that gives a replica only a few seconds to start."""
    environment = {"MOORING_MODEL_FOLDERS": f'["{models.folder}"]', "MOORING_REPLICA_START_SECONDS": "12"}
    with RunningMooring(tmp_path_factory.mktemp("impatient"), environment) as installation:
        yield installation


@pytest.fixture
def deployment(impatient: RunningMooring, models: Models) -> Iterator[Deployment]:
    deployed = impatient.deploy(models.times(2))
    yield deployed
    impatient.remove(deployed.id)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("cannot-load", "the weights are missing"),
        ("hangs", "not ready after 12 s"),
        ("dies-later", "SIGSEGV"),
        ("not-there", "not-there"),
    ],
)
def test_the_old_version_serves_on_and_the_deployment_tells_why(
    impatient: RunningMooring, models: Models, deployment: Deployment, bad: str, reason: str
) -> None:
    def doubled(response: httpx.Response) -> bool:
        allowed = ([2.0, 4.0], [1.0, 2.0]) if bad == "dies-later" else ([2.0, 4.0],)
        return response.status_code == httpx.codes.OK and response.json()["predictions"] in allowed

    good = deployment.latest_running_configuration_id
    url = f"{deployment.deployment_url}/invocations"
    with Prober(url, method="POST", body=BODY, headers=impatient.headers(), clients=4, check=doubled) as traffic:
        traffic.wait_for(50)
        impatient.patch(deployment.id, models.uri(bad))
        dead = impatient.wait_for_status(deployment.id, "DEAD")
        traffic.wait_for(100)
        wait_until(lambda: len(impatient.replica_pids()) == 1, what="the end of the bad replica")
    assert traffic.failed == 0, str(traffic)
    assert reason in (dead.status_message or "")
    assert dead.latest_running_configuration_id == good
    assert dead.deployment_url == deployment.deployment_url
    answer = httpx.post(url, content=BODY, headers=impatient.headers())
    assert answer.json()["predictions"] == [2.0, 4.0]


def test_a_dead_deployment_is_patched_back_to_health(
    impatient: RunningMooring, models: Models, deployment: Deployment
) -> None:
    impatient.patch(deployment.id, models.uri("cannot-load"))
    impatient.wait_for_status(deployment.id, "DEAD")
    configuration = impatient.patch(deployment.id, models.times(3))
    healthy = impatient.wait_for_status(deployment.id, "RUNNING")
    assert healthy.latest_running_configuration_id == configuration
    answer = httpx.post(f"{deployment.deployment_url}/invocations", content=BODY, headers=impatient.headers())
    assert answer.json()["predictions"] == [3.0, 6.0]


def test_a_first_version_that_fails_is_dead_with_its_reason(impatient: RunningMooring, models: Models) -> None:
    configuration = impatient.configure(models.uri("cannot-load"))
    with impatient.client() as client:
        created = client.deployments.create(configuration)
    dead = impatient.wait_for_status(created, "DEAD")
    assert "the weights are missing" in (dead.status_message or "")
    answer = httpx.get(f"{impatient.url}/v2/inference/deployments/{created}/ping", headers=impatient.headers())
    assert answer.status_code in (404, 503)
    assert set(answer.json()["error"]) >= {"code", "message", "requestId", "target"}
    impatient.remove(created)
