"""What the gateway should know, worked out from the store."""

import threading
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from mooring.gateway.gateway import Gateway
from mooring.gateway.routes import DeploymentRoute, ModelRoute, Routes
from mooring.store.database import Database
from mooring.store.tables import Deployment, Replica


class Router:
    """Brings the gateway in line with the store."""

    def __init__(
        self, database: Database, gateway: Gateway, *, socket_of: Callable[[str], Path], models_group: str
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._socket_of = socket_of
        self._models_group = models_group
        self._lock = threading.Lock()

    def publish(self) -> None:
        """Returns once the gateway routes as the store says. Raises GatewayError when it does not take it over."""
        with self._lock:  # what is read must be what is applied, in this order
            with self._database.reading() as session:
                routes = self._routes(session)
            self._gateway.apply(routes)

    def _routes(self, session: Session) -> Routes:
        serving = session.scalars(
            select(Deployment)
            .where(Deployment.serving_revision_id.is_not(None))
            .order_by(Deployment.created_at, Deployment.id)
        ).all()
        endpoints = self._endpoints(session)
        models: dict[str, ModelRoute] = {}
        for deployment in serving:
            if deployment.model_name and deployment.resource_group == self._models_group:
                # The oldest deployment keeps the name: a second one must not take over a URL that is in use.
                models.setdefault(deployment.model_name, ModelRoute(deployment.model_name, deployment.id))
        return Routes(
            deployments=tuple(
                DeploymentRoute(d.id, d.resource_group, endpoints.get(d.serving_revision_id or "", ())) for d in serving
            ),
            models=tuple(models.values()),
        )

    def _endpoints(self, session: Session) -> dict[str, tuple[Path, ...]]:
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
            revision: tuple(self._socket_of(replica.id) for replica in _routable(replicas))
            for revision, replicas in by_revision.items()
        }


def _routable(replicas: list[Replica]) -> list[Replica]:
    """Those that can answer; when all are dead, the last one, so that Envoy retries until its replacement is there."""
    return [r for r in replicas if not r.ended_at and not r.stop_requested_at] or replicas[-1:]
