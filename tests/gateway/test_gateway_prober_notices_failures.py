"""The prober that other promises lean on sees what goes wrong."""

import pytest

from tests.gateway.world import World, free_port
from tests.prober import Prober


def test_good_answers_are_no_failures(shared: World) -> None:
    with Prober(shared.inference("ddefault", "x"), headers=shared.signer.headers(), clients=3) as prober:
        prober.wait_for(30)
    assert (prober.failed, set(prober.statuses)) == (0, {200})
    assert prober.requests >= 30


def test_bad_statuses_are_failures(shared: World) -> None:
    url = shared.inference("ddefault", "status/500")
    with Prober(url, headers=shared.signer.headers(), clients=2) as prober:
        prober.wait_for(10)
    assert prober.failed == prober.requests == prober.statuses[500]
    assert "500" in prober.failures[0].reason


def test_bad_content_is_a_failure(shared: World) -> None:
    url = shared.inference("ddefault", "x")
    with Prober(
        url, headers=shared.signer.headers, clients=2, check=lambda response: response.json()["name"] == "two"
    ) as prober:
        prober.wait_for(10)
    assert prober.failed == prober.requests


def test_no_answer_is_a_failure() -> None:
    with Prober(f"http://127.0.0.1:{free_port()}", clients=2) as prober:
        prober.wait_for(10)
    assert prober.failed == prober.requests
    assert "ConnectError" in prober.failures[0].reason


def test_waiting_has_an_end(shared: World) -> None:
    url = shared.inference("ddefault", "silent/1")
    with (
        Prober(url, headers=shared.signer.headers(), clients=1) as prober,
        pytest.raises(TimeoutError, match="requests"),
    ):
        prober.wait_for(1000, timeout_seconds=0.1)
