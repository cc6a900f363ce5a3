"""The right to do, for a while, what only one control plane of a store does at a time."""

import secrets
from datetime import timedelta

from sqlalchemy import or_, update

from mooring.store.database import Database
from mooring.store.tables import WorkLease
from mooring.store.types import utc_now


class NamedLease:
    """One of them, by its name, as one holder sees it."""

    def __init__(self, database: Database, name: str, *, seconds: float) -> None:
        self._database = database
        self._name = name
        self._duration = timedelta(seconds=seconds)
        self._token = secrets.token_hex(8)

    def take(self) -> bool:
        """Whether it is ours now: it is free, it has run out, or it was ours already (then it is prolonged)."""
        now = utc_now()
        is_to_be_had = or_(WorkLease.token.is_(None), WorkLease.token == self._token, WorkLease.expires_at < now)
        with self._database.transaction() as session:
            if session.get(WorkLease, self._name) is None:
                session.add(WorkLease(name=self._name))
                session.flush()
            taken = session.scalar(
                update(WorkLease)
                .where(WorkLease.name == self._name, is_to_be_had)
                .values(token=self._token, expires_at=now + self._duration)
                .returning(WorkLease.name)
            )
        return taken is not None

    def give_back(self) -> None:
        """Let others have it at once; nothing happens when it is not ours."""
        with self._database.transaction() as session:
            session.execute(
                update(WorkLease)
                .where(WorkLease.name == self._name, WorkLease.token == self._token)
                .values(token=None, expires_at=None)
            )
