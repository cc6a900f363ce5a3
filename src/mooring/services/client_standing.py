"""What the store says of clients at this moment: for those who hold a token that says something older."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from mooring.domain.roles import Role
from mooring.store.tables import Client


@dataclass(frozen=True)
class Standing:
    """A client's rights; tokens issued before `tokens_valid_from` (seconds since the epoch) are worth nothing."""

    role: Role
    groups: frozenset[str]
    tokens_valid_from: float = 0.0


def of(session: Session, client_id: str) -> Standing | None:
    """None for a client that does not exist, or not any more."""
    client = session.get(Client, client_id) if client_id.isprintable() else None
    if client is None or client.deleted_at is not None:
        return None
    since = client.tokens_valid_from.timestamp() if client.tokens_valid_from else 0.0
    return Standing(Role(client.role), frozenset(client.groups), since)


def revoked_since(session: Session, moment: datetime) -> Sequence[Client]:
    """Clients whose tokens were taken back after this moment, by id: deleted, or with a later `tokens_valid_from`."""
    changed = or_(Client.deleted_at >= moment, Client.tokens_valid_from >= moment)
    return session.scalars(select(Client).where(changed).order_by(Client.id)).all()
