"""Destinations: names that point somewhere. They belong to the installation, as to a subaccount, and to no group.

Everything about one is one row, so that a move, a canary, a mirror and their end are one atomic write each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mooring.domain.destinations import Level, Move, Pointer, moved
from mooring.errors import Conflict, InvalidRequest, NotFound
from mooring.services import destination_pointers, destination_properties
from mooring.store.tables import Destination
from mooring.store.types import utc_now
from mooring.store.vault import Vault

MOST = 1000
"""Of one level: the gateway holds a few routes for each."""


@dataclass(frozen=True)
class Opened:
    """A destination as its owner sees it, secrets included."""

    level: Level
    name: str
    version: int
    properties: dict[str, str] = field(repr=False)
    moves: list[Move] = field(repr=False)
    pointer: Pointer | None = None


@dataclass(frozen=True)
class RolledBack:
    """What a rollback has undone (`canary` or `move`), and where the destination points now."""

    undone: str
    url: str


def list_of(
    session: Session, level: Level, names: Sequence[str] | None, *, top: int | None = None, skip: int = 0
) -> Sequence[Destination]:
    """Those of a level, by name; `names` are those that are asked for, None asks for all."""
    query = select(Destination).where(Destination.level == level.value)
    if names is not None:
        query = query.where(Destination.name.in_(names))
    return session.scalars(query.order_by(Destination.name).limit(top).offset(skip)).all()


def count(session: Session, level: Level, names: Sequence[str] | None = None) -> int:
    """How many `list_of` would find without a page."""
    query = select(func.count()).select_from(Destination).where(Destination.level == level.value)
    return session.scalar(query if names is None else query.where(Destination.name.in_(names))) or 0


def get(session: Session, level: Level, name: str) -> Destination:
    """Raises NotFound."""
    found = session.get(Destination, (level.value, name)) if name.isprintable() else None
    if found is None:
        raise NotFound(f"there is no destination {name!r} at the level {level.value}")
    return found


def find(session: Session, name: str, level: Level | None = None) -> Destination:
    """The instance's, else the subaccount's. Raises NotFound."""
    for each in (level,) if level else (Level.INSTANCE, Level.SUBACCOUNT):
        found = session.get(Destination, (each.value, name)) if name.isprintable() else None
        if found is not None:
            return found
    raise NotFound(f"there is no destination {name!r}: GET …/subaccountDestinations lists those that exist")


def opened(vault: Vault, row: Destination) -> Opened:
    """Raises CannotOpen (`mooring.store.vault`)."""
    moves = orjson.loads(vault.open(row.moves, place=_place(row, "moves")))
    return Opened(
        level=Level(row.level),
        name=row.name,
        version=row.version,
        properties=vault.open_values(row.data, place=_place(row, "data")),
        moves=[Move.from_json(each) for each in moves],
        pointer=Pointer.from_json(row.pointer),
    )


def create(session: Session, vault: Vault, level: Level, given: object, by: str) -> Destination:
    """Raises InvalidRequest; Conflict when the name is taken."""
    properties = destination_properties.checked(given)
    name = properties["Name"]
    if session.get(Destination, (level.value, name)) is not None:
        raise Conflict(f"the destination {name!r} exists already at the level {level.value}: change it with PUT")
    if count(session, level) >= MOST:
        raise InvalidRequest(f"there are {MOST} destinations at the level {level.value}, and no more: delete one")
    row = Destination(level=level.value, name=name, version=0, labels=[])
    _write(session, vault, row, properties, [], by)
    session.add(row)
    session.flush()
    return row


def replace(session: Session, vault: Vault, level: Level, given: object, by: str) -> Destination:
    """All properties anew; another URL is a move, and ends a canary or a mirror that is there already.

    Raises InvalidRequest, NotFound.
    """
    properties = destination_properties.checked(given)
    row = get(session, level, properties["Name"])
    before = opened(vault, row)
    if properties.get("URL") != before.properties.get("URL"):
        properties = destination_properties.promoted(properties)
    _write(session, vault, row, properties, before.moves, by)
    return row


def roll_back(session: Session, vault: Vault, level: Level, name: str, by: str) -> RolledBack:
    """End a canary if there is one, else point to where it pointed before; again, and it points here again.

    Raises NotFound; Conflict when there is nothing to go back to, or nothing answers there.
    """
    row = get(session, level, name)
    before = opened(vault, row)
    kept = destination_properties.without_canary(before.properties)
    if kept != before.properties:
        # Where the others lead is not looked at again: what has gone meanwhile is no reason to keep a canary.
        _record(vault, row, kept, before.pointer and before.pointer.without_canary(), before.moves, by)
        return RolledBack("canary", kept["URL"])
    if len(before.moves) < 2:
        raise Conflict(
            f"the destination {name!r} cannot be rolled back: it has never pointed anywhere else; give its "
            "deployment the configuration of before (PATCH), or PUT another URL"
        )
    url = before.moves[1].url
    destination_pointers.refuse_unserved(session, name, url)
    _write(session, vault, row, _pointing_to(url, kept), before.moves, by)
    return RolledBack("move", url)


def remove(session: Session, level: Level, name: str) -> None:
    """Raises NotFound."""
    session.delete(get(session, level, name))


def _pointing_to(url: str, properties: dict[str, str]) -> dict[str, str]:
    """A mirror belongs to the move that is taken back, and ends with it."""
    ours = (destination_properties.MIRROR_URL, destination_properties.MIRROR_PERCENT)
    return {**{key: value for key, value in properties.items() if key not in ours}, "URL": url}


def _write(
    session: Session, vault: Vault, row: Destination, properties: dict[str, str], moves: Sequence[Move], by: str
) -> None:
    _record(vault, row, properties, destination_pointers.of(session, properties), moves, by)


def _record(
    vault: Vault,
    row: Destination,
    properties: dict[str, str],
    pointer: Pointer | None,
    moves: Sequence[Move],
    by: str,
) -> None:
    row.pointer = pointer.to_json() if pointer else {}
    latest = Move(properties.get("URL", ""), utc_now().isoformat(timespec="seconds").replace("+00:00", "Z"), by)
    row.moves = vault.seal(_json(moved(moves, latest)), place=_place(row, "moves"))
    row.data = vault.seal_values(properties, place=_place(row, "data"))
    row.version += 1
    row.modified_at = utc_now()


def _json(moves: Sequence[Move]) -> bytes:
    content: list[dict[str, Any]] = [move.to_json() for move in moves]
    return orjson.dumps(content)


def _place(row: Destination, part: str) -> str:
    return f"destinations/{row.level}/{row.name}/{part}"
