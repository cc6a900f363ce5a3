"""The right to work on a deployment, for a while.

Taken before something is done, checked again in each transaction that records what was done. A controller that was
paused for too long finds its lease gone and its writes refused; one that died leaves a lease that runs out.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from mooring.store.database import Database
from mooring.store.tables import Deployment
from mooring.store.types import utc_now


class LeaseLost(Exception):
    """Somebody else works on the deployment now, or its owner has asked for something new meanwhile."""


@dataclass(frozen=True)
class Lease:
    """One controller's claim to one deployment, made when it was of this generation."""

    deployment_id: str
    token: str
    generation: int


class Leases:
    """Takes, checks and gives back leases."""

    def __init__(self, database: Database, *, seconds: float) -> None:
        self._database = database
        self._duration = timedelta(seconds=seconds)

    def take(self, deployment_id: str, generation: int) -> Lease | None:
        """The lease, unless somebody else holds it or the deployment has changed since it was looked at."""
        now, token = utc_now(), secrets.token_hex(8)
        statement = (
            update(Deployment)
            .where(
                Deployment.id == deployment_id,
                Deployment.generation == generation,
                or_(Deployment.lease_expires_at.is_(None), Deployment.lease_expires_at < now),
            )
            .values(lease_token=token, lease_expires_at=now + self._duration)
            .returning(Deployment.id)
        )
        with self._database.transaction() as session:
            taken = session.execute(statement).scalar_one_or_none()
        return Lease(deployment_id, token, generation) if taken else None

    @contextmanager
    def recording(self, lease: Lease) -> Iterator[tuple[Session, Deployment]]:
        """A transaction on the leased deployment, which also prolongs the lease. Raises LeaseLost."""
        with self._database.transaction() as session:
            deployment = session.get(Deployment, lease.deployment_id, with_for_update=True)
            if deployment is None or (deployment.lease_token, deployment.generation) != (lease.token, lease.generation):
                raise LeaseLost(lease.deployment_id)
            deployment.lease_expires_at = utc_now() + self._duration
            yield session, deployment

    def clear(self) -> None:
        """Take all leases away: for the only control plane of a store, at its start, when their owner is dead."""
        with self._database.transaction() as session:
            session.execute(update(Deployment).values(lease_token=None, lease_expires_at=None))

    def give_back(self, lease: Lease) -> None:
        """Let others (or the next look) have it."""
        with self._database.transaction() as session:
            session.execute(
                update(Deployment)
                .where(Deployment.id == lease.deployment_id, Deployment.lease_token == lease.token)
                .values(lease_token=None, lease_expires_at=None)
            )
