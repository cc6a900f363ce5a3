"""Endpoints come, go and die under traffic; no request fails, and no stream is cut."""

import hashlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from mooring.gateway.routes import DeploymentRoute, ModelRoute, Routes
from tests.gateway.world import World, wait_until
from tests.prober import Failure, Prober


def _lost(prober: Prober) -> list[Failure]:
    """Failures apart from answers that had begun when their replica was killed: nobody can take those back.

    The upstream writes head and body of an answer separately, so a kill can meet the moment in between.
    """
    return [failure for failure in prober.failures if "without sending complete message body" not in failure.reason]


def _routes(*sockets: Path, retry_unanswered: bool = True) -> Routes:
    return Routes((DeploymentRoute("d1", "default", sockets, retry_unanswered),), (ModelRoute("iris", "d1"),))


@pytest.mark.slow
def test_swaps_under_traffic(world: World) -> None:
    names = ("one", "two", "three")
    sockets = {name: world.upstreams.start(name) for name in names}
    world.gateway.apply(_routes(sockets["one"]))
    with Prober(world.inference("d1", "x"), headers=world.signer.headers(), clients=32) as prober:
        prober.wait_for(100)
        for turn in range(45):
            name = names[turn % 3]
            world.gateway.apply(_routes(sockets[name]))
            assert world.ask("/models/iris/x").json()["name"] == name
            prober.wait_for(100)
    assert prober.requests > 4000
    assert not prober.failures, str(prober)


@pytest.mark.slow
def test_replicas_that_end_after_they_were_swapped_out(world: World) -> None:
    world.gateway.apply(_routes(world.upstreams.start("r0")))
    with Prober(world.url + "/models/iris/x", headers=world.signer.headers(), clients=16) as prober:
        for turn in range(1, 6):
            world.gateway.apply(_routes(world.upstreams.start(f"r{turn}")))
            prober.wait_for(50)
            world.upstreams.signal(f"r{turn - 1}", signal.SIGTERM)
            prober.wait_for(100)
    assert not prober.failures, str(prober)


@pytest.mark.slow
def test_a_killed_replica_is_missed_by_nobody_once_another_has_come(world: World) -> None:
    world.gateway.apply(_routes(world.upstreams.start("one")))
    with Prober(
        world.inference("d1", "x"), method="POST", body=b"x" * 1000, headers=world.signer.headers(), clients=64
    ) as prober:
        prober.wait_for(200)
        world.upstreams.signal("one", signal.SIGKILL)
        killed = time.monotonic()
        wait_until(lambda: world.gateway.statistics()["d1"].retries > 64)
        two = world.upstreams.start("two")
        # As long as a replacement may reasonably take: the requests wait meanwhile.
        wait_until(lambda: time.monotonic() > killed + 4)
        world.gateway.apply(_routes(two))
        prober.wait_for(500)
    assert not _lost(prober), str(prober)
    assert prober.slowest_seconds > 3


@pytest.mark.slow
def test_one_of_two_replicas_killed(world: World) -> None:
    world.gateway.apply(_routes(world.upstreams.start("one"), world.upstreams.start("two")))
    with Prober(world.inference("d1", "x"), headers=world.signer.headers(), clients=16) as prober:
        prober.wait_for(200)
        calm = prober.slowest_seconds
        world.upstreams.signal("one", signal.SIGKILL)
        prober.wait_for(1000)
    assert not _lost(prober), str(prober)
    assert prober.slowest_seconds < max(5, 20 * calm)  # the machine may be busy with other things


def test_a_request_that_a_replica_died_over_is_answered_by_the_next(world: World) -> None:
    world.gateway.apply(_routes(world.upstreams.start("one")))
    body = os.urandom(250_000)
    answers: list[httpx.Response] = []
    asking = threading.Thread(
        target=lambda: answers.append(world.ask("/models/iris/silent/2", method="POST", content=body))
    )
    asking.start()
    wait_until(lambda: world.gateway.statistics()["d1"].active == 1)
    world.upstreams.signal("one", signal.SIGKILL)
    world.gateway.apply(_routes(world.upstreams.start("two")))
    asking.join(timeout=30)
    seen = answers[0].json()
    assert (seen["name"], seen["sha256"]) == ("two", hashlib.sha256(body).hexdigest())
    assert int(dict(seen["headers"])["x-envoy-attempt-count"]) > 1


def test_a_body_that_is_too_large_to_be_sent_again_is_an_error_that_says_to_try_again(world: World) -> None:
    nobody = world.options.sockets / "nobody.sock"
    world.gateway.apply(_routes(nobody))
    answer = world.ask("/models/iris/x", method="POST", content=os.urandom(3 * 1024 * 1024))
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "01000503"
    assert "retry-after" in answer.headers


def test_a_request_with_effects_is_not_sent_twice(world: World) -> None:
    world.gateway.apply(_routes(world.upstreams.start("one"), retry_unanswered=False))
    answers: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: answers.append(world.ask("/models/iris/silent/30", method="POST")))
    asking.start()
    wait_until(lambda: world.gateway.statistics()["d1"].active == 1)
    world.upstreams.signal("one", signal.SIGKILL)
    asking.join(timeout=30)
    assert answers[0].status_code == 503
    assert answers[0].json()["error"]["code"] == "01000503"


@pytest.fixture
def stream(world: World) -> Iterator[Callable[[], str]]:
    """A stream of three seconds from `one` that has begun; call it for the whole text."""
    world.gateway.apply(_routes(world.upstreams.start("one")))
    with httpx.stream(
        "GET", world.inference("d1", "stream/30"), headers=world.signer.headers(), timeout=30, trust_env=False
    ) as answer:
        lines = answer.iter_lines()
        first = next(lines)
        yield lambda: "\n".join([first, *lines])


def _is_whole(text: str) -> bool:
    return text.split("\n") == [f"{line} one" for line in range(30)] + ["end"]


def test_a_stream_goes_on_after_its_replica_was_swapped_out(world: World, stream: Callable[[], str]) -> None:
    world.gateway.apply(_routes(world.upstreams.start("two")))
    assert world.ask("/models/iris/x").json()["name"] == "two"
    assert _is_whole(stream())


def test_a_stream_goes_on_after_its_deployment_was_removed(world: World, stream: Callable[[], str]) -> None:
    world.gateway.apply(Routes())
    assert world.ask("/models/iris/x").status_code == 404
    assert _is_whole(stream())


def test_a_stream_goes_on_while_its_replica_ends_gracefully(world: World, stream: Callable[[], str]) -> None:
    world.gateway.apply(_routes(world.upstreams.start("two")))
    world.upstreams.signal("one", signal.SIGTERM)
    assert _is_whole(stream())


def test_another_deployment_notices_nothing(world: World) -> None:
    one, two = world.upstreams.start("one"), world.upstreams.start("two")
    steady = DeploymentRoute("steady", "default", (one,))
    world.gateway.apply(Routes((steady,)))
    with Prober(world.inference("steady", "x"), headers=world.signer.headers(), clients=8) as prober:
        prober.wait_for(20)
        for turn in range(20):
            other = DeploymentRoute(f"d{turn}", "default", (two,))
            world.gateway.apply(Routes((steady, other), (ModelRoute("m", other.deployment_id),)))
            assert world.ask(f"/v2/inference/deployments/d{turn}/x").json()["name"] == "two"
            assert world.ask("/models/m/x").json()["name"] == "two"
            world.gateway.apply(Routes((steady,)))
            assert world.ask(f"/v2/inference/deployments/d{turn}/x").status_code == 404
        prober.wait_for(20)
    assert not prober.failures, str(prober)


def test_routes_are_in_use_when_apply_returns(world: World) -> None:
    sockets = [world.upstreams.start(name) for name in ("one", "two")]
    for turn in range(50):
        world.gateway.apply(_routes(sockets[turn % 2]))
        assert world.ask("/models/iris/x").json()["name"] == ("one", "two")[turn % 2]


def test_threads_may_apply_at_once(world: World) -> None:
    sockets = [world.upstreams.start(name) for name in ("one", "two")]
    errors: list[BaseException] = []

    def apply(socket: Path) -> None:
        try:
            for _ in range(20):
                world.gateway.apply(_routes(socket))
        except BaseException as error:  # noqa: BLE001 - looked at below
            errors.append(error)

    threads = [threading.Thread(target=apply, args=(socket,)) for socket in sockets for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not errors
    assert world.ask("/models/iris/x").status_code == 200


def test_hundreds_of_deployments(world: World) -> None:
    """More than a user has inotify instances (128 by default)."""
    one = world.upstreams.start("one")
    many = Routes(tuple(DeploymentRoute(f"d{number}", "default", (one,)) for number in range(400)))
    world.gateway.apply(many)
    assert world.ask("/v2/inference/deployments/d399/x").json()["name"] == "one"
    world.gateway.apply(Routes(many.deployments[:-1]))
    assert world.ask("/v2/inference/deployments/d399/x").status_code == 404
