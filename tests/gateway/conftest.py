"""Gateways for tests: one that is shared by all tests that break nothing, and new ones for the others."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from mooring.gateway.routes import DeploymentRoute, ModelRoute, Routes
from tests.gateway.world import World, make_world


@contextmanager
def _running_world(**changes: Any) -> Iterator[World]:
    # Not pytest's folder: its path is too long for a socket.
    with tempfile.TemporaryDirectory(prefix="gw-") as folder:
        world = make_world(Path(folder), **changes)
        try:
            world.upstreams.start("control-plane")
            world.gateway.ensure_running()
            yield world
        finally:
            world.gateway.stop(grace_seconds=0)
            world.upstreams.stop()


@pytest.fixture
def new_world() -> Iterator[Callable[..., World]]:
    """Makes running gateways that the test may break; keyword arguments are options."""
    with ExitStack() as stack:
        yield lambda **changes: stack.enter_context(_running_world(**changes))


@pytest.fixture
def world(new_world: Callable[..., World]) -> World:
    """A running gateway that the test may break."""
    return new_world()


@pytest.fixture(scope="session")
def shared() -> Iterator[World]:
    """A running gateway with routes, for tests that change nothing.

    `ddefault` and `dteam` (of group `team-a`) are served, `dempty` has no replica, `dsingle` is not retried;
    models: `iris` (served by `dteam`), `Über uns (1)` (by `dteam`), `empty` (by `dempty`).
    """
    with _running_world(max_request_bytes=1024 * 1024, request_timeout_seconds=3.0) as world:
        one, two = world.upstreams.start("one"), world.upstreams.start("two")
        world.gateway.apply(
            Routes(
                deployments=(
                    DeploymentRoute("ddefault", "default", (one,)),
                    DeploymentRoute("dteam", "team-a", (two,)),
                    DeploymentRoute("dempty", "default", ()),
                ),
                models=(
                    ModelRoute("iris", "dteam"),
                    ModelRoute("Über uns (1)", "dteam"),
                    ModelRoute("empty", "dempty"),
                ),
            )
        )
        yield world
