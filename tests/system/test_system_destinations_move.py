"""The static URL of a destination in a whole installation: set, moved, tried and taken back by the command."""

import json
import stat

import httpx
import pytest

from mooring.client.destinations import DestinationClient
from tests.prober import Prober
from tests.system.models import ROW, Models
from tests.system.running_mooring import RunningMooring

pytestmark = pytest.mark.slow
BODY = json.dumps(ROW).encode()
NAME = "wine"


def environment(mooring: RunningMooring) -> dict[str, str]:
    lines = mooring.run("env").stdout.splitlines()
    pairs = (line.removeprefix("export ").partition("=") for line in lines)
    return {name: value.strip("'\"") for name, _, value in pairs}


def test_the_destination_services_client_is_for_nothing_else(mooring: RunningMooring) -> None:
    key = mooring.home / "destination-key.json"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    env = environment(mooring)
    content = json.loads(key.read_text())
    assert (env["DESTINATION_CLIENT_ID"], env["DESTINATION_CLIENT_SECRET"]) == (
        content["clientid"],
        content["clientsecret"],
    )
    assert env["DESTINATION_CLIENT_ID"] != env["AICORE_CLIENT_ID"]
    answer = httpx.post(
        f"{env['DESTINATION_AUTH_URL']}/oauth/token?grant_type=client_credentials",
        auth=(content["clientid"], content["clientsecret"]),
    )
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    base = f"{env['DESTINATION_BASE_URL']}/destination-configuration/v1"
    assert httpx.get(f"{base}/subaccountDestinations", headers=headers).status_code == 200
    assert httpx.get(f"{env['AICORE_BASE_URL']}/lm/scenarios", headers=headers).status_code == 403
    refused = httpx.get(f"{base}/subaccountDestinations")
    assert refused.status_code == 401
    assert list(refused.json()) == ["ErrorMessage"]
    kept = mooring.run("client", "delete", content["clientid"], "--yes", accepted=(1,))
    assert "destination-key.json" in kept.stderr
    renewed = mooring.run("client", "rotate", content["clientid"], "--keep-tokens")
    assert content["clientsecret"] != json.loads(key.read_text())["clientsecret"], renewed.stdout


def test_moves_canaries_and_rollbacks_under_traffic(mooring: RunningMooring, models: Models) -> None:
    two, three = mooring.deploy(models.times(2), "two"), mooring.deploy(models.times(3), "three")
    mooring.run("destination", "set", NAME, "--url", str(two.deployment_url))
    url = f"{mooring.url}/destinations/{NAME}/invocations"

    def factor() -> float:
        answer = httpx.post(url, content=BODY, headers=mooring.headers()).raise_for_status()
        return float(answer.json()["predictions"][0])

    def known(response: httpx.Response) -> bool:
        return response.status_code == httpx.codes.OK and response.json()["predictions"][0] in (2.0, 3.0)

    assert factor() == 2.0
    with Prober(url, method="POST", body=BODY, headers=mooring.headers(), clients=8, check=known) as traffic:
        for _ in range(2):
            share = ("--canary", str(three.deployment_url), "--percent", "50")
            mooring.run("destination", "set", NAME, *share)
            traffic.wait_for(100)
            assert "canary is ended" in mooring.run("rollback", NAME).stdout
            assert factor() == 2.0, "in use when the command has ended"
            mooring.run("destination", "set", NAME, "--url", str(three.deployment_url))
            assert factor() == 3.0
            assert str(two.deployment_url) in mooring.run("rollback", NAME).stdout
            assert factor() == 2.0
            traffic.wait_for(100)
        # The target's next version comes by a PATCH, under the same destination.
        configuration = mooring.patch(two.id, models.times(3), "two")
        with mooring.client() as client:
            client.deployments.wait(two.id, configuration_id=configuration, timeout_seconds=60, poll_seconds=0.1)
        assert factor() == 3.0
        traffic.wait_for(100)
    assert traffic.failed == 0, str(traffic)
    listed = json.loads(mooring.run("destination", "ls", "--json").stdout)
    assert [each["Name"] for each in listed] == [NAME]
    shown = json.loads(mooring.run("destination", "show", NAME, "--json").stdout)
    assert len(shown["moves"]) == 5
    mooring.remove(two.id)
    answer = httpx.post(url, content=BODY, headers=mooring.headers())
    assert (answer.status_code, two.id in answer.json()["error"]["message"]) == (503, True)
    mooring.run("destination", "delete", NAME, "--yes")
    assert httpx.post(url, content=BODY, headers=mooring.headers()).status_code == 404
    mooring.remove(three.id)


def test_a_destination_is_checked_with_the_credentials_it_names(mooring: RunningMooring, models: Models) -> None:
    deployment = mooring.deploy(models.times(2))
    properties = {
        "Authentication": "OAuth2ClientCredentials",
        "tokenServiceURL": f"{mooring.url}/oauth/token",
        "clientId": mooring.key["clientid"],
        "clientSecret": mooring.key["clientsecret"],
    }
    given = [part for each in properties.items() for part in ("--property", "=".join(each))]
    mooring.run("destination", "set", "checked", "--url", f"{deployment.deployment_url}/v2/health/ready", *given)
    assert mooring.run("destination", "check", "checked").stdout.count("ok ") == 3
    shown = mooring.run("destination", "show", "checked").stdout
    assert mooring.key["clientsecret"] not in shown
    with DestinationClient.from_key(mooring.home / "destination-key.json") as client:
        assert client.get("checked")["clientSecret"] == mooring.key["clientsecret"]
    mooring.run("destination", "set", "checked", "--url", f"{mooring.url}/v2/inference/deployments/d000000000000000")
    failed = mooring.run("destination", "check", "checked", accepted=(1,))
    assert "failed  call" in failed.stdout
    mooring.run("destination", "delete", "checked", "--yes")
    mooring.remove(deployment.id)
