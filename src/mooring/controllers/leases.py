"""The right to work on a deployment or an execution, for a while.

Taken before something is done, checked again in each transaction that records what was done. A controller that was
paused for too long finds its lease gone and its writes refused; one that died leaves a lease that runs out.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from mooring.store.database import Database
from mooring.store.tables import Deployment, Execution
from mooring.store.types import utc_now

Leased = TypeVar("Leased", Deployment, Execution)


class LeaseLost(Exception):
    """Somebody else works on the object now, or its owner has asked for something new meanwhile."""


@dataclass(frozen=True)
class Lease:
    """One controller's claim to one object, made when it was of this generation."""

    object_id: str
    token: str
    generation: int


class Leases(Generic[Leased]):
    """Takes, checks and gives back leases on the rows of one table."""

    def __init__(self, database: Database, table: type[Leased], *, seconds: float) -> None:
        self._database = database
        self._table: type[Leased] = table
        self._duration = timedelta(seconds=seconds)

    def take(self, object_id: str, generation: int) -> Lease | None:
        """The lease, unless somebody else holds it or the object has changed since it was looked at."""
        now, token = utc_now(), secrets.token_hex(8)
        table = self._table
        statement = (
            update(table)
            .where(
                table.id == object_id,
                table.generation == generation,
                or_(table.lease_expires_at.is_(None), table.lease_expires_at < now),
            )
            .values(lease_token=token, lease_expires_at=now + self._duration)
            .returning(table.id)
        )
        with self._database.transaction() as session:
            taken = session.execute(statement).scalar_one_or_none()
        return Lease(object_id, token, generation) if taken else None

    @contextmanager
    def recording(self, lease: Lease) -> Iterator[tuple[Session, Leased]]:
        """A transaction on the leased object, which also prolongs the lease. Raises LeaseLost."""
        with self._database.transaction() as session:
            row = session.get(self._table, lease.object_id, with_for_update=True)
            if row is None or (row.lease_token, row.generation) != (lease.token, lease.generation):
                raise LeaseLost(lease.object_id)
            row.lease_expires_at = utc_now() + self._duration
            yield session, row

    def give_back(self, lease: Lease) -> None:
        """Let others (or the next look) have it."""
        with self._database.transaction() as session:
            session.execute(
                update(self._table)
                .where(self._table.id == lease.object_id, self._table.lease_token == lease.token)
                .values(lease_token=None, lease_expires_at=None)
            )
