"""What the gateway should know, worked out from the store."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from mooring.controllers.destination_routes import destination_routes
from mooring.domain.endpoints import Endpoint, TcpAddress
from mooring.domain.revisions import ContainerServerSpec
from mooring.domain.rollouts import Answers
from mooring.gateway.errors import GatewayError
from mooring.gateway.gateway import Gateway
from mooring.gateway.routes import DeploymentRoute, ModelRoute, Revocation, Routes
from mooring.services import client_standing
from mooring.store.database import Database
from mooring.store.tables import Client, Deployment, Replica, Revision
from mooring.store.types import utc_now

_NOBODY = Path("/nonexistent/nobody.sock")
"""Where nobody ever listens: the gateway tries again there until there is somebody to ask."""


_FOREIGN_IDLE_SECONDS = 1.0
"""The usual servers close idle connections after 2 s (gunicorn) or 5 s (uvicorn, Node)."""


class Neighbours(Protocol):
    """The other control planes of this store on this machine: one of them may be dead while its gateway serves."""

    def exclusively(self) -> AbstractContextManager[None]:
        """One of them publishes at a time: who has read something older must not be the last."""
        ...

    def gateways(self) -> Sequence[Gateway]:
        """Their gateways that run."""
        ...


class NoNeighbours:
    """The store belongs to one control plane."""

    def exclusively(self) -> AbstractContextManager[None]:
        return nullcontext()

    def gateways(self) -> Sequence[Gateway]:
        return ()


class Router:
    """Brings the gateway in line with the store."""

    def __init__(
        self,
        database: Database,
        gateway: Gateway,
        *,
        endpoint_of: Callable[[str], Endpoint],
        models_group: str,
        token_lifetime: timedelta,
        neighbours: Neighbours | None = None,
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._endpoint_of = endpoint_of
        self._models_group = models_group
        self._token_lifetime = token_lifetime
        self._neighbours = neighbours or NoNeighbours()
        self._lock = threading.Lock()

    def publish(self) -> None:
        """Returns once the gateway routes as the store says, and those of the other control planes of this store.

        Raises GatewayError when one that runs does not take it over.
        """
        with self._lock, self._neighbours.exclusively():  # what is read must be what is applied, in this order
            with self._database.reading() as session:
                routes = self._routes(session)
            self._gateway.apply(routes)
            for gateway in self._neighbours.gateways():
                _apply_unless_gone(gateway, routes)

    def answers(self, deployment_id: str, revision_id: str) -> Answers:
        """What a revision that is watched has answered, at all gateways. One that does not answer has seen nothing."""
        seen = [
            _answers_of(gateway, deployment_id, revision_id)
            for gateway in (self._gateway, *self._neighbours.gateways())
        ]
        return Answers(sum(each.requests for each in seen), sum(each.failures for each in seen))

    def _routes(self, session: Session) -> Routes:
        serving = session.scalars(
            select(Deployment)
            .where(Deployment.serving_revision_id.is_not(None))
            .order_by(Deployment.created_at, Deployment.id)
        ).all()
        endpoints = self._endpoints(session)
        specs, watched = _specs(session), _watched(session)
        models: dict[str, ModelRoute] = {}
        for deployment in serving:
            if deployment.model_name and deployment.resource_group == self._models_group:
                # The oldest deployment keeps the name: a second one must not take over a URL that is in use.
                models.setdefault(deployment.model_name, ModelRoute(deployment.model_name, deployment.id))
        return Routes(
            deployments=tuple(
                _route(
                    d,
                    endpoints.get(d.serving_revision_id or "", ()),
                    specs.get(d.serving_revision_id or "", {}),
                    watched.get(d.serving_revision_id or ""),
                )
                for d in serving
            ),
            models=tuple(models.values()),
            destinations=destination_routes(session),
            revoked=self._revoked(session),
        )

    def _revoked(self, session: Session) -> tuple[Revocation, ...]:
        """What has been taken back and has not run out since; what is older has."""
        oldest = utc_now() - self._token_lifetime
        return tuple(_revocation(client) for client in client_standing.revoked_since(session, oldest))

    def _endpoints(self, session: Session) -> dict[str, tuple[Endpoint, ...]]:
        statement = (
            select(Replica)
            .join(Deployment, Deployment.serving_revision_id == Replica.revision_id)
            .where(Replica.ready_at.is_not(None))
            .order_by(Replica.created_at)
        )
        by_revision: dict[str, list[Replica]] = {}
        for replica in session.scalars(statement):
            by_revision.setdefault(replica.revision_id, []).append(replica)
        return {
            revision: tuple(self._endpoint(replica) for replica in _routable(replicas))
            for revision, replicas in by_revision.items()
        }

    def _endpoint(self, replica: Replica) -> Endpoint:
        """A dead one's port may be anybody's by now, of another resource group even; its socket is nobody else's."""
        endpoint = self._endpoint_of(replica.id)
        return _NOBODY if replica.ended_at and isinstance(endpoint, TcpAddress) else endpoint


def _specs(session: Session) -> dict[str, Mapping[str, Any]]:
    """By revision, of those that serve."""
    query = select(Revision.id, Revision.spec).join(Deployment, Deployment.serving_revision_id == Revision.id)
    return {row.id: row.spec for row in session.execute(query)}


def _watched(session: Session) -> dict[str, str]:
    """Those that serve and are counted apart, each under its own id: what others have answered is not theirs."""
    query = select(Revision.id).join(Deployment, Deployment.serving_revision_id == Revision.id)
    return {each: each for each in session.scalars(query.where(Revision.rollout.is_not(None)))}


def _answers_of(gateway: Gateway, deployment_id: str, revision_id: str) -> Answers:
    try:
        return gateway.answers(deployment_id, revision_id)
    except GatewayError:
        return Answers()


def _route(
    deployment: Deployment, endpoints: tuple[Endpoint, ...], spec: Mapping[str, Any], counted_as: str | None
) -> DeploymentRoute:
    route = DeploymentRoute(deployment.id, deployment.resource_group, endpoints, counted_as=counted_as)
    if spec.get("kind") != ContainerServerSpec.KIND:
        return route
    return replace(
        route,
        # What a server of the user's own does with a request is not known to be harmless when it is done twice.
        retry_unanswered=False,
        timeout_seconds=spec.get("timeout_seconds"),
        idle_seconds=_FOREIGN_IDLE_SECONDS,
    )


def _apply_unless_gone(gateway: Gateway, routes: Routes) -> None:
    try:
        gateway.apply(routes)
    except GatewayError:
        if gateway.is_alive():
            raise


def _revocation(client: Client) -> Revocation:
    valid_from = None if client.deleted_at else client.tokens_valid_from
    return Revocation(client.id, int(valid_from.timestamp()) if valid_from else None)


def _routable(replicas: list[Replica]) -> list[Replica]:
    """Those that can answer; when all are dead, the last one, so that Envoy retries until its replacement is there."""
    return [r for r in replicas if not r.ended_at and not r.stop_requested_at] or replicas[-1:]
