"""Bad input anywhere gets a typed error of the API's envelope, and nothing is lost by it."""

import json
import socket

import httpx
import pytest

from tests.prober import Prober
from tests.system.models import ROW, Models
from tests.system.running_mooring import RunningMooring

PATHS = [
    "/v2/lm/deployments/..%2f..%2fservice-key.json",
    "/v2/lm/deployments/%2e%2e/%2e%2e/x",
    "/v2/lm/deployments/d123",
    "/v2/lm/deployments/" + "d" * 300,
    "/v2/lm/configurations/%00",
    "/v2/lm/nothing-here",
    "/v2/inference/deployments/d000000000000000/invocations",
    "/models/no-such-model/invocations",
    "/models/..%2f..%2fetc/passwd",
    "/v2//lm/deployments/x%5c..%5c",
    "/nowhere",
]
BODIES = [
    b"",
    b"{",
    b"[]",
    b'"text"',
    b"null",
    b"[" * 50_000,
    b'{"configurationId": 5}',
    b'{"configurationId": null}',
    b'{"configurationId": "not-there"}',
    b'{"configurationId": "\\ud800"}',
    b'{"configurationId": "a", "configurationId": ["b"]}',
    b'{"configurationId": "' + b"x" * 100_000 + b'"}',
    b"\xff\xfe\x00",
]


def assert_envelope(response: httpx.Response) -> None:
    assert 400 <= response.status_code < 500, response.text
    error = response.json()["error"]
    assert isinstance(error["code"], str)
    assert error["message"]
    assert error["requestId"] == response.headers["x-request-id"]
    assert "Traceback" not in response.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_paths_that_lead_nowhere(mooring: RunningMooring, method: str, path: str) -> None:
    response = httpx.request(method, mooring.url + path, headers=mooring.headers(), content=b"{}")
    assert_envelope(response)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:24]))
@pytest.mark.parametrize("path", ["/v2/lm/deployments", "/v2/lm/configurations", "/v2/lm/artifacts"])
def test_bodies_that_are_wrong(mooring: RunningMooring, path: str, body: bytes) -> None:
    assert_envelope(httpx.post(mooring.url + path, headers=mooring.headers(), content=body))


def test_a_body_that_is_too_large_is_refused(mooring: RunningMooring) -> None:
    headers = mooring.headers()
    response = httpx.post(
        f"{mooring.url}/v2/lm/configurations", headers=headers, content=b"x" * 105_000_000, timeout=60
    )
    assert response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    assert_envelope(response)


def test_half_a_request_disturbs_nobody(mooring: RunningMooring) -> None:
    host, port = mooring.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as half:
        half.sendall(b"POST /v2/lm/configurations HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        assert httpx.get(f"{mooring.url}/v2/lm/deployments", headers=mooring.headers()).status_code == httpx.codes.OK


@pytest.mark.slow
def test_nobody_else_is_disturbed_by_any_of_it(mooring: RunningMooring, models: Models) -> None:
    deployment = mooring.deploy(models.times(2))
    headers, body = mooring.headers(), json.dumps(ROW).encode()
    url = f"{deployment.deployment_url}/invocations"
    with Prober(url, method="POST", body=body, headers=headers, clients=4) as traffic:
        for hostile in BODIES:
            for target in (url, f"{mooring.url}/v2/lm/deployments", f"{mooring.url}/v2/lm/configurations"):
                response = httpx.post(target, headers=headers, content=hostile)
                assert 400 <= response.status_code < 500, f"{target} {hostile[:30]!r}: {response.text}"
                assert "Traceback" not in response.text
        for path in PATHS:
            assert httpx.get(mooring.url + path, headers=headers).is_client_error
        traffic.wait_for(50)
    assert traffic.failed == 0, str(traffic)
    mooring.remove(deployment.id)


def test_the_system_is_as_good_as_before(mooring: RunningMooring) -> None:
    headers = mooring.headers()
    assert httpx.get(f"{mooring.url}/readyz").status_code == httpx.codes.OK
    assert httpx.get(f"{mooring.url}/v2/lm/deployments", headers=headers).json()["resources"] == []
    log = (mooring.home / "logs" / "control-plane.log").read_text()
    assert "Traceback" not in log
