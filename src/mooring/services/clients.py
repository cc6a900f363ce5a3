"""Clients: who may get tokens, and for what. A secret is shown once, when it is made; the store keeps its hash.

A secret has 256 random bits, so one round of SHA-256 is enough: there is nothing to guess that a slow hash would slow.
Nobody chooses a secret.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mooring.domain.roles import ALL_GROUPS, Role
from mooring.errors import Conflict, NotFound
from mooring.services import client_rules
from mooring.store.tables import Client
from mooring.store.types import utc_now

_NOBODY = hashlib.sha256(b"").hexdigest()
_NOT_AT_ALL = timedelta()


@dataclass(frozen=True)
class NewClient:
    """A client and its secret, which cannot be read again."""

    id: str
    secret: str = field(repr=False)


def create(
    session: Session,
    client_id: str | None = None,
    *,
    role: Role = Role.ADMIN,
    groups: Sequence[str] = (ALL_GROUPS,),
) -> NewClient:
    """Make a client, with a random id when none is given.

    Raises Conflict when the id is taken, InvalidRequest for an id that cannot be sent and for unknown groups. The id
    of a deleted client may be used again: what that one had is worth nothing.
    """
    chosen = client_rules.usable_id(client_id) if client_id is not None else f"mooring-{secrets.token_hex(8)}"
    allowed = client_rules.groups_of(session, role, groups)
    former = session.get(Client, chosen, with_for_update=True)
    if former is not None and former.deleted_at is None:
        raise _taken(chosen)
    made = _with_new_secret(chosen)
    client = former or Client(id=chosen)
    client.role, client.groups, client.secret_hash = role.value, allowed, _hash(made.secret)
    if former is not None:
        client.deleted_at, client.created_at, client.tokens_valid_from = None, utc_now(), _from_now_on()
    session.add(client)
    try:
        session.flush()
    except IntegrityError:
        raise _taken(chosen) from None
    return made


def list_all(session: Session) -> Sequence[Client]:
    """Those that exist, by id."""
    return session.scalars(select(Client).where(Client.deleted_at.is_(None)).order_by(Client.id)).all()


def get(session: Session, client_id: str) -> Client:
    """Raises NotFound."""
    found = session.get(Client, client_id, with_for_update=True) if client_id.isprintable() else None
    if found is None or found.deleted_at is not None:
        raise NotFound(f"there is no client {client_id!r}: `mooring client list` shows those that exist")
    return found


def rotate(session: Session, client_id: str, *, grace: timedelta = _NOT_AT_ALL, keep_tokens: bool = False) -> NewClient:
    """Give a client a new secret. Raises NotFound.

    The old secret is accepted for the grace as well. Without a grace, what was issued for it is worth nothing from
    now on, unless tokens are to be kept.
    """
    client = get(session, client_id)
    made = _with_new_secret(client_id)
    client.previous_secret_hash = client.secret_hash if grace else None
    client.previous_secret_until = utc_now() + grace if grace else None
    client.secret_hash = _hash(made.secret)
    if not grace and not keep_tokens:
        client.tokens_valid_from = _from_now_on()
    session.flush()
    return made


def change(
    session: Session,
    client_id: str,
    *,
    role: Role | None = None,
    groups: Sequence[str] | None = None,
    keep_tokens: bool = False,
) -> Client:
    """Change what a client may do; None leaves it as it is. Raises NotFound, InvalidRequest for unknown groups.

    When groups are taken away, tokens that name them are worth nothing from now on, unless they are to be kept: then
    models of these groups answer them until they run out.
    """
    client = get(session, client_id)
    client.role = role.value if role else client.role
    if groups is not None or role is Role.DESTINATIONS:
        before, client.groups = client.groups, client_rules.groups_of(session, Role(client.role), groups or ())
        loses = ALL_GROUPS not in client.groups and not set(before) <= set(client.groups)
        if loses and not keep_tokens:
            client.tokens_valid_from = _from_now_on()
    session.flush()
    return client


def remove(session: Session, client_id: str) -> None:
    """Its secret and all its tokens are worth nothing from now on. Raises NotFound."""
    client = get(session, client_id)
    client.deleted_at = utc_now()
    client.secret_hash = _hash(secrets.token_urlsafe(32))
    client.previous_secret_hash = client.previous_secret_until = None
    session.flush()


def purge(session: Session, *, deleted_before: datetime) -> None:
    """Forget deleted clients whose last token has run out."""
    session.execute(delete(Client).where(Client.deleted_at < deleted_before))


def leave_group(session: Session, group: str) -> None:
    """A resource group is gone: nobody is bound to it any more, nor gets into a later one of that name."""
    for client in session.scalars(select(Client).with_for_update()):
        if group in client.groups:
            client.groups = [each for each in client.groups if each != group]
            client.tokens_valid_from = _from_now_on()


def renew(session: Session, client_id: str) -> NewClient:
    """Give a client of our own a new secret, its tokens stay valid; make the client when there is none."""
    known = session.get(Client, client_id)
    if known is None or known.deleted_at is not None:
        return create(session, client_id)
    return rotate(session, client_id, keep_tokens=True)


def register(session: Session, client_id: str, secret: str) -> None:
    """Let a client in with a secret that it has already (a key that outlived its store)."""
    session.merge(Client(id=client_id, secret_hash=_hash(secret), deleted_at=None))


def authenticate(session: Session, client_id: str, secret: str) -> Client | None:
    """The client, when the secret is its own. Takes equally long for a wrong secret and for an unknown client."""
    # What cannot be printed (NUL, say) is nobody's id, and not every database can be asked for it.
    client = session.get(Client, client_id) if client_id.isprintable() else None
    given = _hash(secret)
    current = hmac.compare_digest(client.secret_hash if client else _NOBODY, given)
    previous = hmac.compare_digest(_previous_hash(client) or _NOBODY, given)
    if client is None or client.deleted_at is not None:
        return None
    return client if current or (previous and _previous_hash(client) is not None) else None


def _previous_hash(client: Client | None) -> str | None:
    """That of the secret before the present one, while it is accepted."""
    if client is None or client.previous_secret_until is None or client.previous_secret_until <= utc_now():
        return None
    return client.previous_secret_hash


def _from_now_on() -> datetime:
    """The next whole second: tokens carry no parts of a second, and none of those from before may pass."""
    return utc_now().replace(microsecond=0) + timedelta(seconds=1)


def _with_new_secret(client_id: str) -> NewClient:
    return NewClient(client_id, secrets.token_urlsafe(32))


def _taken(client_id: str) -> Conflict:
    return Conflict(f"the client {client_id!r} exists already: choose another id, or give it a new secret (rotate)")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
