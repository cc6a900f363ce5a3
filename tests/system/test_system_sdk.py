"""The official SDK, unmodified, against a whole installation: through the gateway, with real replicas."""

import time
from datetime import UTC, datetime

import pytest
from ai_api_client_sdk.exception import AIAPINotFoundException, AIAPIPreconditionFailedException
from ai_api_client_sdk.models.parameter_binding import ParameterBinding
from ai_api_client_sdk.models.status import Status
from ai_api_client_sdk.models.target_status import TargetStatus
from ai_core_sdk.ai_core_v2_client import AICoreV2Client

from tests.system.models import ROW, Models
from tests.system.running_mooring import RunningMooring, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def client(mooring: RunningMooring, monkeypatch: pytest.MonkeyPatch) -> AICoreV2Client:
    """As `eval "$(mooring env)"` and `from_env` give it."""
    for line in mooring.run("env").stdout.splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        monkeypatch.setenv(name, value.strip("'"))
    return AICoreV2Client.from_env()


def configure(client: AICoreV2Client, model_uri: str) -> str:
    bindings = [ParameterBinding("modelUri", model_uri), ParameterBinding("modelName", "sdk")]
    return str(
        client.configuration.create(
            name="sdk", scenario_id="mooring", executable_id="model-server", parameter_bindings=bindings
        ).id
    )


def wait_for(client: AICoreV2Client, deployment_id: str, status: Status) -> None:
    wait_until(lambda: client.deployment.get(deployment_id).status is status, what=f"{status}")


def test_the_life_of_a_deployment(client: AICoreV2Client, models: Models) -> None:
    assert "mooring" in [scenario.id for scenario in client.scenario.query().resources]
    (executable,) = client.executable.query(scenario_id="mooring").resources
    assert executable.deployable

    first, second = configure(client, models.times(2)), configure(client, models.times(3))
    created = client.deployment.create(first)
    assert created.status is Status.UNKNOWN
    wait_for(client, created.id, Status.RUNNING)
    path = f"/inference/deployments/{created.id}/invocations"
    assert client.rest_client.post(path, body=ROW)["predictions"] == [2.0, 4.0]
    url = client.deployment.get(created.id).deployment_url

    client.deployment.modify(created.id, None, second)
    assert client.deployment.get(created.id).status is Status.PENDING
    wait_for(client, created.id, Status.RUNNING)
    assert client.rest_client.post(path, body=ROW)["predictions"] == [3.0, 6.0]
    changed = client.deployment.get(created.id)
    assert (changed.deployment_url, changed.latest_running_configuration_id) == (url, second)

    long_ago = datetime.fromtimestamp(time.time() - 600, UTC)
    lines = client.deployment.query_logs(created.id, start=long_ago).data.result
    assert [line.timestamp for line in lines] == sorted(line.timestamp for line in lines)
    assert any("ready" in line.msg for line in lines)

    with pytest.raises(AIAPIPreconditionFailedException):
        client.deployment.delete(created.id)
    client.deployment.modify(created.id, TargetStatus.STOPPED)
    wait_for(client, created.id, Status.STOPPED)
    client.deployment.delete(created.id)

    def is_gone() -> bool:
        try:
            client.deployment.get(created.id)
        except AIAPINotFoundException:
            return True
        return False

    wait_until(is_gone, what="the removal")
