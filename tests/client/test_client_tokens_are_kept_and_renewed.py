from concurrent.futures import ThreadPoolExecutor

import pytest

from mooring.client.client import AIClient
from mooring.client.errors import Unauthorized
from tests.fake_ai_api import FakeAiApi


def test_one_token_serves_many_calls_of_many_threads(api: FakeAiApi, client: AIClient) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: client.scenarios.list(), range(40)))

    assert api.tokens_given == 1


def test_a_refused_token_is_replaced_once_and_the_call_succeeds_also_a_post(api: FakeAiApi, client: AIClient) -> None:
    client.scenarios.list()
    api.revoke_tokens()

    client.configurations.create("c", "mooring", "model-server")

    assert api.tokens_given == 2
    assert len(api.configurations) == 1


def test_a_token_is_renewed_before_it_expires(api: FakeAiApi, client: AIClient) -> None:
    api.token_seconds = 0

    client.scenarios.list()
    client.scenarios.list()

    assert api.tokens_given == 2
    assert api.count("GET", "/v2/lm/scenarios") == 2


def test_a_server_that_never_accepts_is_an_error_after_one_renewal(api: FakeAiApi, client: AIClient) -> None:
    api.fail_next(401, count=2, body=b"Jwt issuer is not configured")

    with pytest.raises(Unauthorized, match="Jwt issuer is not configured"):
        client.scenarios.list()
    assert api.tokens_given == 2


def test_wrong_credentials_are_named_without_the_secret(api: FakeAiApi) -> None:
    with (
        AIClient(f"{api.url}/v2", f"{api.url}/oauth/token", api.client_id, "wrong-secret") as client,
        pytest.raises(Unauthorized, match="Bad credentials") as caught,
    ):
        client.scenarios.list()

    assert "wrong-secret" not in str(caught.value)
