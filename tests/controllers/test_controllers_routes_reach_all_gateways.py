"""Control planes of one store publish to each other's gateways: one of them may be dead while its gateway serves."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from mooring.controllers.routing import Router
from mooring.gateway.errors import GatewayError
from mooring.gateway.routes import Routes
from mooring.store.database import Database
from mooring.store.tables import Deployment

if TYPE_CHECKING:
    from mooring.gateway.gateway import Gateway


class Listening:
    """A gateway that takes over what it is told, or refuses, alive or not."""

    def __init__(self, *, alive: bool = True, refuses: bool = False) -> None:
        self.alive, self.refuses = alive, refuses
        self.routes = Routes()

    def is_alive(self) -> bool:
        return self.alive

    def apply(self, routes: Routes) -> None:
        if self.refuses or not self.alive:
            raise GatewayError("not now")
        self.routes = routes


class Street:
    """Neighbours with these gateways."""

    def __init__(self, *gateways: Listening) -> None:
        self._gateways = gateways
        self._lock = threading.Lock()
        self.is_held = False

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        with self._lock:
            self.is_held = True
            yield
            self.is_held = False

    def gateways(self) -> "Sequence[Gateway]":
        assert self.is_held, "what was read may be old already"
        return cast("Sequence[Gateway]", self._gateways)


def router(database: Database, own: Listening, street: Street) -> Router:
    return Router(
        database,
        cast("Gateway", own),
        endpoint_of=lambda replica_id: Path("/sockets") / replica_id,
        models_group="default",
        token_lifetime=timedelta(hours=12),
        neighbours=street,
    )


@pytest.fixture(autouse=True)
def _serving(database: Database, deployment_id: str) -> None:
    with database.transaction() as session:
        session.get_one(Deployment, deployment_id).serving_revision_id = "v1"


def test_all_are_told_the_same(database: Database) -> None:
    own, others = Listening(), [Listening(), Listening()]
    router(database, own, Street(*others)).publish()
    assert len(own.routes.deployments) == 1
    assert [other.routes for other in others] == [own.routes, own.routes]


def test_one_that_dies_meanwhile_holds_up_nobody(database: Database) -> None:
    own, dead, living = Listening(), Listening(alive=False), Listening()
    router(database, own, Street(dead, living)).publish()
    assert living.routes == own.routes


def test_nothing_is_confirmed_before_all_that_live_have_it(database: Database) -> None:
    own, refusing = Listening(), Listening(refuses=True)
    with pytest.raises(GatewayError, match="not now"):
        router(database, own, Street(refusing)).publish()
