"""Servers in containers listen on ports, know nothing of us, and close connections when they like."""

import signal
import threading
import time
from pathlib import Path

import httpx
import pytest

from mooring.domain.endpoints import TcpAddress
from mooring.gateway.routes import DeploymentRoute, Routes
from tests.gateway.world import World, wait_until


def served(*endpoints: TcpAddress | Path, timeout_seconds: float | None = None) -> Routes:
    route = DeploymentRoute("d1", "default", endpoints, False, timeout_seconds, idle_seconds=1.0)
    return Routes((route,))


def ask(world: World, rest: str, method: str = "POST") -> httpx.Response:
    return world.ask(f"/v2/inference/deployments/d1/{rest}", method=method, content=b"x" * 100)


def test_a_port_is_reached_with_the_path_that_was_asked_for(world: World) -> None:
    world.gateway.apply(served(world.upstreams.start_on_port("one")))
    seen = ask(world, "v2/predict/?input_data=1.5").json()
    assert (seen["name"], seen["path"], seen["query"], seen["length"]) == ("one", "/v2/predict/", "input_data=1.5", 100)
    assert "authorization" not in dict(seen["headers"])


def test_requests_are_spread_over_all_replicas(world: World) -> None:
    world.gateway.apply(served(*(world.upstreams.start_on_port(name) for name in ("one", "two"))))
    assert {ask(world, "v1").json()["name"] for _ in range(40)} == {"one", "two"}


def test_a_request_waits_while_there_is_nobody_and_is_answered_by_the_replacement(world: World) -> None:
    world.gateway.apply(served(Path("/nonexistent/nobody.sock")))
    answers: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: answers.append(ask(world, "v1")))
    asking.start()
    wait_until(lambda: world.gateway.statistics()["d1"].retries > 0)
    world.gateway.apply(served(world.upstreams.start_on_port("two")))
    asking.join(timeout=30)
    assert answers[0].json()["name"] == "two"


def test_a_request_that_a_server_died_over_is_not_sent_again(world: World) -> None:
    world.gateway.apply(served(*(world.upstreams.start_on_port(name) for name in ("one", "two"))))
    answers: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: answers.append(ask(world, "silent/30")))
    asking.start()
    wait_until(lambda: world.gateway.statistics()["d1"].active == 1)
    for name in ("one", "two"):
        world.upstreams.signal(name, signal.SIGKILL)
    asking.join(timeout=30)
    assert answers[0].status_code == 503


def test_a_template_may_ask_for_less_time(world: World) -> None:
    one = world.upstreams.start_on_port("one")
    world.gateway.apply(served(one, timeout_seconds=1.0))
    begun = time.monotonic()
    answer = ask(world, "silent/20")
    assert answer.status_code == 504
    assert time.monotonic() - begun < 15
    assert "within the time that is allowed" in answer.json()["error"]["message"]


@pytest.mark.slow
def test_no_request_meets_a_connection_that_the_server_closes(world: World) -> None:
    """It closes idle connections after 2 s: POSTs that come about then must not be lost, and are not sent twice."""
    world.gateway.apply(served(world.upstreams.start_on_port("one", keep_alive_seconds=2)))
    for pause in (1.9, 1.98, 2.0, 2.02, 2.1):
        answers = [ask(world, "v1").status_code]
        threading.Event().wait(pause)  # the time itself is what is tried
        answers.append(ask(world, "v1").status_code)
        assert answers == [200, 200]
