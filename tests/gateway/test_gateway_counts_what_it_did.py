"""Per deployment: how many requests, how many failed, how long they took."""

import threading

import pytest

from mooring.domain.rollouts import Answers
from mooring.gateway.errors import GatewayError
from mooring.gateway.routes import DeploymentRoute, ModelRoute, Routes
from tests.gateway.world import World, wait_until


@pytest.fixture
def counted(world: World) -> World:
    one = world.upstreams.start("one")
    world.gateway.apply(Routes((DeploymentRoute("d1", "default", (one,)),), (ModelRoute("iris", "d1"),)))
    return world


def test_requests_and_failures(counted: World) -> None:
    for path in (
        "/v2/inference/deployments/d1/x",
        "/models/iris/x",
        "/models/iris/status/500",
        "/models/iris/status/404",
    ):
        counted.ask(path)
    counted.ask("/models/iris/x", token=False)
    wait_until(lambda: counted.gateway.statistics()["d1"].requests == 4)
    assert counted.gateway.statistics()["d1"].failures == 1


def test_requests_that_run(counted: World) -> None:
    asking = threading.Thread(target=lambda: counted.ask("/models/iris/silent/1"))
    asking.start()
    wait_until(lambda: counted.gateway.statistics()["d1"].active == 1)
    asking.join(timeout=30)
    wait_until(lambda: counted.gateway.statistics()["d1"].active == 0)


def test_counts_go_on_after_a_swap(counted: World) -> None:
    counted.ask("/models/iris/x")
    two = counted.upstreams.start("two")
    counted.gateway.apply(Routes((DeploymentRoute("d1", "default", (two,)),), (ModelRoute("iris", "d1"),)))
    counted.ask("/models/iris/x")
    wait_until(lambda: counted.gateway.statistics()["d1"].requests == 2)


@pytest.mark.slow
def test_latencies(counted: World) -> None:
    for _ in range(20):
        counted.ask("/models/iris/silent/0.05")
    wait_until(lambda: bool(counted.gateway.statistics()["d1"].latency_ms), timeout_seconds=30)
    latency = counted.gateway.statistics()["d1"].latency_ms
    assert set(latency) == {50.0, 90.0, 99.0}
    assert 45 < latency[50.0] <= latency[90.0] <= latency[99.0] < 5000


def test_no_envoy_no_numbers(counted: World) -> None:
    counted.gateway.stop(grace_seconds=0)
    with pytest.raises(GatewayError, match="does not answer"):
        counted.gateway.statistics()


def test_what_is_counted_apart_begins_at_nothing_and_belongs_to_its_deployment(world: World) -> None:
    one, two = world.upstreams.start("one"), world.upstreams.start("two")
    world.gateway.apply(Routes((DeploymentRoute("d1", "default", (one,)),)))
    world.ask("/v2/inference/deployments/d1/status/500")
    for counted_as, endpoint, answers in (("v2", two, (500, 200, 200)), ("v3", one, (200, 503))):
        world.gateway.apply(Routes((DeploymentRoute("d1", "default", (endpoint,), counted_as=counted_as),)))
        assert world.gateway.answers("d1", counted_as) == Answers()
        for status in answers:
            world.ask(f"/v2/inference/deployments/d1/status/{status}")
        expected = Answers(len(answers), sum(status >= 500 for status in answers))
        wait_until(lambda name=counted_as, wanted=expected: world.gateway.answers("d1", name) == wanted)  # type: ignore[misc]
    assert world.gateway.statistics()["d1"].requests >= 2
