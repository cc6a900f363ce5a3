"""What the gateway is told: always what the store says, again and again until it has taken it over."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from mooring.controllers.routing import Router
from mooring.controllers.upkeep import Upkeep
from mooring.domain.destinations import Pointer
from mooring.domain.endpoints import Endpoint, TcpAddress
from mooring.gateway.errors import GatewayError
from mooring.gateway.routes import DeploymentRoute, DestinationRoute, Revocation, Routes
from mooring.store.database import Database
from mooring.store.tables import Client, Deployment, Destination, Replica, ResourceGroup, Revision
from mooring.store.types import utc_now

if TYPE_CHECKING:
    from mooring.gateway.gateway import Gateway
    from mooring.runtimes.base import Runtime


LIFETIME = timedelta(hours=12)


class RememberingGateway:
    """Takes over what it is told, unless it is to refuse (the real one is proved in tests/gateway)."""

    def __init__(self, *, refusals: int = 0) -> None:
        self.routes = Routes()
        self.refusals = refusals
        self.applied = threading.Event()

    def is_alive(self) -> bool:
        return True

    def apply(self, routes: Routes) -> None:
        if self.refusals:
            self.refusals -= 1
            raise GatewayError("not now")
        self.routes = routes
        self.applied.set()


def router(database: Database, gateway: RememberingGateway, *, endpoint: Endpoint | None = None) -> Router:
    return Router(
        database,
        cast("Gateway", gateway),
        endpoint_of=lambda replica_id: endpoint or Path("/sockets") / replica_id,
        models_group="default",
        token_lifetime=LIFETIME,
    )


def serve(database: Database, deployment_id: str, *replicas: Replica) -> None:
    with database.transaction() as session:
        deployment = session.get_one(Deployment, deployment_id)
        deployment.serving_revision_id = deployment.revisions[0].id
        deployment.revisions[0].replicas = list(replicas)


def sockets(routes: Routes) -> list[str]:
    return [str(path).rpartition("/")[2] for route in routes.deployments for path in route.endpoints]


@pytest.mark.parametrize(
    ("replicas", "routed"),
    [
        ([Replica(id="ready", ready_at=utc_now())], ["ready"]),
        ([Replica(id="starting")], []),
        ([Replica(id="dead", ready_at=utc_now(), ended_at=utc_now())], ["dead"]),
        ([Replica(id="dead", ready_at=utc_now(), ended_at=utc_now()), Replica(id="next")], ["dead"]),
        (
            [Replica(id="dead", ready_at=utc_now(), ended_at=utc_now()), Replica(id="next", ready_at=utc_now())],
            ["next"],
        ),
        (
            [
                Replica(id="leaving", ready_at=utc_now(), stop_requested_at=utc_now()),
                Replica(id="b", ready_at=utc_now()),
            ],
            ["b"],
        ),
    ],
    ids=["ready", "starting", "dead", "dead and its successor starting", "replaced", "leaving"],
)
def test_a_dead_replica_stays_listed_until_its_successor_is_ready(
    database: Database, deployment_id: str, replicas: list[Replica], routed: list[str]
) -> None:
    """So that the gateway tries again instead of refusing."""
    gateway = RememberingGateway()
    copies = [
        Replica(id=r.id, ready_at=r.ready_at, ended_at=r.ended_at, stop_requested_at=r.stop_requested_at)
        for r in replicas
    ]
    serve(database, deployment_id, *copies)
    router(database, gateway).publish()
    assert sockets(gateway.routes) == routed


def test_a_server_of_the_users_own_is_asked_once_and_by_its_own_time(database: Database, deployment_id: str) -> None:
    serve(database, deployment_id, Replica(id="r1", ready_at=utc_now()))
    gateway = RememberingGateway()
    router(database, gateway).publish()
    assert gateway.routes.deployments == (DeploymentRoute(deployment_id, "default", (Path("/sockets/r1"),)),)
    with database.transaction() as session:
        session.get_one(Revision, "v1").spec = {"kind": "container", "timeout_seconds": 120.0}
    router(database, gateway).publish()
    (route,) = gateway.routes.deployments
    assert (route.retry_unanswered, route.timeout_seconds) == (False, 120.0)
    assert route.idle_seconds <= 2, "the usual servers close idle connections then"


def test_the_port_of_a_dead_replica_is_asked_by_nobody(database: Database, deployment_id: str) -> None:
    """It may be another group's by now."""
    serve(database, deployment_id, Replica(id="dead", ready_at=utc_now(), ended_at=utc_now()))
    gateway = RememberingGateway()
    publisher = router(database, gateway, endpoint=TcpAddress("127.0.0.1", 1234))
    publisher.publish()
    (route,) = gateway.routes.deployments
    assert [isinstance(endpoint, Path) for endpoint in route.endpoints] == [True], "so that the gateway tries again"
    with database.transaction() as session:
        session.add(Replica(id="next", revision_id="v1", ready_at=utc_now()))
    publisher.publish()
    assert gateway.routes.deployments[0].endpoints == (TcpAddress("127.0.0.1", 1234),)


def test_a_name_belongs_to_the_oldest_deployment_of_the_registrys_group(database: Database, deployment_id: str) -> None:
    serve(database, deployment_id, Replica(id="r1", ready_at=utc_now()))
    with database.transaction() as session:
        first = session.get_one(Deployment, deployment_id)
        session.add(ResourceGroup(id="other"))
        session.flush()
        for name, group, age in (("younger", "default", -1), ("foreign", "other", 100)):
            copied = {
                column.key: getattr(first, column.key)
                for column in Deployment.__table__.columns
                if column.key not in ("id", "resource_group", "created_at", "serving_revision_id")
            }
            session.add(
                Deployment(
                    id=name,
                    resource_group=group,
                    created_at=first.created_at - timedelta(days=age),
                    serving_revision_id=f"v-{name}",
                    revisions=[Revision(id=f"v-{name}", number=1, configuration_id="c1", spec={}, state="serving")],
                    **copied,
                )
            )
    gateway = RememberingGateway()
    router(database, gateway).publish()
    assert {route.deployment_id for route in gateway.routes.deployments} == {deployment_id, "younger", "foreign"}
    assert [(route.name, route.deployment_id) for route in gateway.routes.models] == [("wine", deployment_id)]


def test_what_could_not_be_published_is_published_by_the_upkeep(database: Database, deployment_id: str) -> None:
    serve(database, deployment_id, Replica(id="r1", ready_at=utc_now()))
    gateway = RememberingGateway(refusals=2)
    publisher = router(database, gateway)
    with pytest.raises(GatewayError):
        publisher.publish()

    class NoReplicas:
        def replicas(self) -> list[str]:
            return []

    upkeep = Upkeep(database, cast("Gateway", gateway), publisher, cast("Runtime", NoReplicas()))
    upkeep.start()
    assert gateway.applied.wait(20)
    upkeep.stop(timeout_seconds=10)
    assert sockets(gateway.routes) == ["r1"]


def test_tokens_that_were_taken_back_are_refused_until_they_have_run_out(database: Database) -> None:
    now = utc_now().replace(microsecond=0)
    long_ago = now - LIFETIME - timedelta(minutes=2)
    with database.transaction() as session:
        for name, deleted, valid_from in (
            ("a-deleted", now, None),
            ("b-rotated", None, now),
            ("c-rotated-then-deleted", now, now - timedelta(hours=1)),
            ("d-deleted-long-ago", long_ago, None),
            ("e-rotated-long-ago", None, long_ago),
            ("f-untouched", None, None),
        ):
            session.add(Client(id=name, secret_hash="x", deleted_at=deleted, tokens_valid_from=valid_from))
    gateway = RememberingGateway()
    router(database, gateway).publish()
    assert gateway.routes.revoked == (
        Revocation("a-deleted"),
        Revocation("b-rotated", int(now.timestamp())),
        Revocation("c-rotated-then-deleted"),
    )


def test_destinations_are_routed_by_the_instances_first(database: Database, deployment_id: str) -> None:
    serve(database, deployment_id, Replica(id="r1", ready_at=utc_now()))
    here = Pointer("default", deployment_id, path="/v1", percent=10, canary_id="d2")
    with database.transaction() as session:
        for level, name, pointer in (
            ("subaccount", "a", here.to_json()),
            ("subaccount", "b", here.to_json()),
            ("instance", "b", {}),
            ("subaccount", "c", {}),
            ("instance", "d", Pointer("default", "d3").to_json()),
            ("subaccount", "d", here.to_json()),
        ):
            session.add(Destination(level=level, name=name, pointer=pointer, data=b"", moves=b"", version=1))
    gateway = RememberingGateway()
    router(database, gateway).publish()
    assert gateway.routes.destinations == (
        DestinationRoute("a", "default", deployment_id, "/v1", "d2", 10),
        DestinationRoute("d", "default", "d3"),
    )
