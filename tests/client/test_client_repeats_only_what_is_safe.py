import socket
import threading
import time
from collections.abc import Iterator

import pytest

from mooring.client.client import AIClient
from mooring.client.errors import ServerError, TooManyRequests, Unreachable
from mooring.http_session import HttpSession, NoAnswer
from tests.fake_ai_api import FakeAiApi

DEPLOYMENTS = "/v2/lm/deployments"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_get_is_repeated_until_it_is_answered(api: FakeAiApi, client: AIClient, status: int) -> None:
    api.fail_next(status, count=3)

    assert client.deployments.list() == []
    assert api.count("GET", DEPLOYMENTS) == 4


def test_repeats_end(api: FakeAiApi, client: AIClient) -> None:
    api.fail_next(503, count=10)

    with pytest.raises(ServerError):
        client.deployments.list()
    assert api.count("GET", DEPLOYMENTS) == 4


def test_a_post_is_never_repeated(api: FakeAiApi, client: AIClient) -> None:
    api.fail_next(503)

    with pytest.raises(ServerError):
        client.deployments.create("c-1")
    assert api.count("POST", DEPLOYMENTS) == 1


def test_whether_a_post_may_have_been_done_is_told(api: FakeAiApi, client: AIClient) -> None:
    client.access_token()
    api.fail_next(429, headers={"Retry-After": "7"})
    with pytest.raises(TooManyRequests) as busy:
        client.deployments.create("c-1")
    assert (busy.value.unclear, busy.value.retry_after_seconds) == (False, 7.0)
    api.fail_next(504)
    with pytest.raises(ServerError) as late:
        client.deployments.create("c-1")
    assert late.value.unclear
    api.stop()
    client.close()
    with AIClient.of(client.credentials) as another, pytest.raises(Unreachable) as away:
        another.deployments.create("c-1")
    assert not away.value.unclear, "nobody has got it"


def test_an_internal_error_is_not_repeated(api: FakeAiApi, client: AIClient) -> None:
    api.fail_next(500)

    with pytest.raises(ServerError):
        client.deployments.list()
    assert api.count("GET", DEPLOYMENTS) == 1


def test_retry_after_is_heeded(api: FakeAiApi, client: AIClient) -> None:
    api.fail_next(429, headers={"Retry-After": "1"})

    begun = time.monotonic()
    client.deployments.list()

    assert time.monotonic() - begun >= 1


def test_a_pause_longer_than_the_deadline_is_not_begun(api: FakeAiApi, client: AIClient) -> None:
    api.fail_next(429, headers={"Retry-After": "3600"})

    begun = time.monotonic()
    with pytest.raises(TooManyRequests):
        client.deployments.list()
    assert time.monotonic() - begun < 5


def test_a_server_that_comes_back_is_found_again(api: FakeAiApi, client: AIClient) -> None:
    client.deployments.list()
    api.stop()
    with pytest.raises(Unreachable, match="ConnectError"):
        client.deployments.list()

    api.start()
    assert client.deployments.list() == []


@pytest.fixture
def trickling_server() -> Iterator[str]:
    """Answers at once, and then sends one byte every few milliseconds, for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
            while not over.wait(0.02):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    over.set()
    thread.join(5)
    listener.close()


def test_an_answer_that_never_ends_is_given_up_at_the_deadline(trickling_server: str) -> None:
    session = HttpSession(trickling_server, timeout_seconds=0.5)

    begun = time.monotonic()
    with pytest.raises(NoAnswer, match="did not end in time"):
        session.send("GET", "/?secret=1")
    assert time.monotonic() - begun < 5
    session.close()


def test_an_answer_that_is_too_large_is_given_up_and_its_query_is_not_shown(trickling_server: str) -> None:
    session = HttpSession(trickling_server, timeout_seconds=5, max_answer_bytes=3)

    with pytest.raises(NoAnswer, match="more than 3 bytes") as caught:
        session.send("GET", "/", params={"token": "secret"})
    assert "secret" not in str(caught.value)
    session.close()
