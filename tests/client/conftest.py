from collections.abc import Iterator

import pytest

from mooring.client.client import AIClient
from mooring.http_session import Repeats
from tests.fake_ai_api import FakeAiApi

QUICK = Repeats(count=3, first_seconds=0.01, longest_seconds=0.05)


@pytest.fixture
def api() -> Iterator[FakeAiApi]:
    with FakeAiApi() as server:
        yield server


@pytest.fixture
def client(api: FakeAiApi) -> Iterator[AIClient]:
    with AIClient(
        f"{api.url}/v2",
        f"{api.url}/oauth/token",
        api.client_id,
        api.client_secret,
        "team-a",
        timeout_seconds=10,
        repeats=QUICK,
    ) as made:
        yield made
