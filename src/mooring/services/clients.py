"""Clients: who may get tokens. A secret is shown once, when it is made; the store keeps its hash.

A secret has 256 random bits, so one round of SHA-256 is enough: there is nothing to guess that a slow hash would slow.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from mooring.errors import Conflict
from mooring.store.tables import Client

_NOBODY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class NewClient:
    """A client and its secret, which cannot be read again."""

    id: str
    secret: str = field(repr=False)


def create(session: Session, client_id: str | None = None) -> NewClient:
    """Make a client, with a random id when none is given. Raises Conflict when the id is taken."""
    chosen = client_id or f"mooring-{secrets.token_hex(8)}"
    if session.get(Client, chosen) is not None:
        raise Conflict(f"the client {chosen!r} exists already: choose another id, or renew its secret")
    return renew(session, chosen)


def renew(session: Session, client_id: str) -> NewClient:
    """Give a client a new secret, the old one is worth nothing from now on; make the client when there is none."""
    renewed = NewClient(client_id, secrets.token_urlsafe(32))
    client = session.get(Client, client_id)
    if client is None:
        session.add(Client(id=client_id, secret_hash=_hash(renewed.secret)))
    else:
        client.secret_hash = _hash(renewed.secret)
    session.flush()
    return renewed


def register(session: Session, client_id: str, secret: str) -> None:
    """Let a client in with a secret that it has already (a key that outlived its store)."""
    session.merge(Client(id=client_id, secret_hash=_hash(secret)))


def authenticate(session: Session, client_id: str, secret: str) -> Client | None:
    """The client, when the secret is its own. Takes equally long for a wrong secret and for an unknown client."""
    # What cannot be printed (NUL, say) is nobody's id, and not every database can be asked for it.
    client = session.get(Client, client_id) if client_id.isprintable() else None
    expected = client.secret_hash if client else _NOBODY
    matches = hmac.compare_digest(expected, _hash(secret))
    return client if client and matches else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
