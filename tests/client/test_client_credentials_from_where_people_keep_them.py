import json
from pathlib import Path

import httpx
import pytest

from mooring.client.client import AIClient
from mooring.client.credentials import Credentials
from tests.fake_ai_api import FakeAiApi


def test_a_service_key_file_is_enough(api: FakeAiApi, tmp_path: Path) -> None:
    key = tmp_path / "service-key.json"
    key.write_text(json.dumps(api.service_key()))

    with AIClient.from_service_key(key) as client:
        assert [each.id for each in client.scenarios.list()] == ["mooring"]


@pytest.mark.parametrize("suffix", ["", "/oauth/token", "/"])
def test_the_environment_is_enough_with_or_without_the_token_path(
    api: FakeAiApi, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setenv("AICORE_BASE_URL", f"{api.url}/v2")
    monkeypatch.setenv("AICORE_AUTH_URL", f"{api.url}{suffix}")
    monkeypatch.setenv("AICORE_CLIENT_ID", api.client_id)
    monkeypatch.setenv("AICORE_CLIENT_SECRET", api.client_secret)

    with AIClient.from_env() as client:
        assert client.scenarios.list()


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="AICORE_AUTH_URL, AICORE_CLIENT_SECRET"):
        Credentials.from_env({"AICORE_BASE_URL": "http://x/v2", "AICORE_CLIENT_ID": "x"})
    with pytest.raises(ValueError, match="serviceurls"):
        Credentials.from_service_key({"clientid": "x", "clientsecret": "y", "url": "http://z"})


def test_the_secret_is_not_printed(api: FakeAiApi) -> None:
    assert api.client_secret not in repr(Credentials.from_service_key(api.service_key()))


def test_a_transport_replaces_the_network() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": "43199"})
        return httpx.Response(200, json={"count": 1, "resources": [{"id": "s"}]})

    transport = httpx.MockTransport(answer)
    with AIClient("http://control/v2", "http://control/oauth/token", "i", "s", transport=transport) as client:
        assert client.scenarios.list()[0].id == "s"
