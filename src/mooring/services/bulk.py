"""Many stopped or deleted in one request: each is accepted or refused by itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mooring.domain.lifecycle import TargetStatus
from mooring.errors import MooringError

_Row = TypeVar("_Row")


@dataclass(frozen=True)
class Wish:
    """One item of a bulk change; `target` is STOPPED or DELETED."""

    id: str
    target: TargetStatus


@dataclass(frozen=True)
class Outcome:
    """What became of a wish; no error means that it was accepted."""

    wish: Wish
    error: MooringError | None = None


def change_each(
    wishes: Sequence[Wish],
    rows: Mapping[str, _Row],
    *,
    change: Callable[[_Row, TargetStatus], None],
    not_found: Callable[[str], MooringError],
) -> list[Outcome]:
    """What became of each wish, in their order. `change` raises MooringError when a row does not allow it."""
    return [_outcome(wish, rows.get(wish.id), change, not_found) for wish in wishes]


def _outcome(
    wish: Wish,
    row: _Row | None,
    change: Callable[[_Row, TargetStatus], None],
    not_found: Callable[[str], MooringError],
) -> Outcome:
    if row is None:
        return Outcome(wish, not_found(wish.id))
    try:
        change(row, wish.target)
    except MooringError as error:
        return Outcome(wish, error)
    return Outcome(wish)
