"""Clients are made, given new secrets and deleted by the command; what runs goes on, and notices at once."""

import json
from typing import Any

import httpx
import pytest

from tests.system.models import ROW, Models
from tests.system.running_mooring import RunningMooring, wait_until

pytestmark = pytest.mark.slow
NOTICED_SECONDS = 5.0


def _token(key: dict[str, Any]) -> httpx.Response:
    form = {"grant_type": "client_credentials"}
    return httpx.post(f"{key['url']}/oauth/token", data=form, auth=(key["clientid"], key["clientsecret"]))


def _headers(key: dict[str, Any], group: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {_token(key).json()['access_token']}", "AI-Resource-Group": group}


def _deploy(mooring: RunningMooring, group: str, model_uri: str) -> str:
    with mooring.client(group) as client:
        parameters = {"modelUri": model_uri, "modelName": group}
        configuration = client.configurations.create(group, "mooring", "model-server", parameters=parameters)
        created = client.deployments.create(configuration)
        running = client.deployments.wait(created, timeout_seconds=60, poll_seconds=0.1)
    return f"{running.deployment_url}/invocations"


def test_the_life_of_a_client(mooring: RunningMooring, models: Models) -> None:
    with httpx.Client(base_url=mooring.url, headers=mooring.headers()) as operator:
        for group in ("harbour", "shipyard"):
            body = {"resourceGroupId": group}
            assert operator.post("/v2/admin/resourceGroups", json=body).status_code == 202
    mine = _deploy(mooring, "harbour", models.times(2))
    others = _deploy(mooring, "shipyard", models.times(3))
    pids = [mooring.pid_of("control-plane"), mooring.pid_of("gateway")]

    made = mooring.run("client", "create", "ci", "--group", "harbour", "--service-key", "-")
    key = json.loads(made.stdout)
    headers = _headers(key, "harbour")

    def predict() -> int:
        return httpx.post(mine, json=ROW, headers=headers).status_code

    def look() -> int:
        return httpx.get(f"{mooring.url}/v2/lm/deployments", headers=headers).status_code

    assert httpx.post(mine, json=ROW, headers=headers).json()["predictions"] == [2.0, 4.0]
    assert look() == 200
    strange = {**headers, "AI-Resource-Group": "shipyard"}
    for given in (headers, strange):
        assert httpx.post(others, json=ROW, headers=given).status_code == 404
    assert httpx.get(f"{mooring.url}/v2/lm/deployments", headers=strange).status_code == 400
    tenant = httpx.post(f"{mooring.url}/v2/admin/resourceGroups", json={"resourceGroupId": "mine"}, headers=headers)
    assert tenant.status_code == 403

    renewed = json.loads(mooring.run("client", "rotate", "ci", "--service-key", "-").stdout)
    wait_until(lambda: (predict(), look()) == (401, 401), seconds=NOTICED_SECONDS, what="the old token's end")
    assert _token(key).status_code == 401
    headers = _headers(renewed, "harbour")
    assert (predict(), look()) == (200, 200)

    mooring.run("client", "delete", "ci", "--yes")
    wait_until(lambda: (predict(), look()) == (401, 401), seconds=NOTICED_SECONDS, what="the client's end")
    assert _token(renewed).status_code == 401
    assert [mooring.pid_of("control-plane"), mooring.pid_of("gateway")] == pids
