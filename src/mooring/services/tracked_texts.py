"""Tags and custom info of executions: one value per name, in the order in which the names first came."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.orm import Session

from mooring.errors import InvalidRequest, TooLarge
from mooring.store.tables import MetricResource, MetricText

MOST_TEXTS = 100
"""Of each kind, per execution."""
MOST_CUSTOM_INFO_BYTES = 5_000_000
"""All values of one execution together, in UTF-8."""


class TextKind(Enum):
    """What a text is."""

    TAG = "tag"
    CUSTOM_INFO = "custom_info"


_FIELDS = {TextKind.TAG: "tags", TextKind.CUSTOM_INFO: "customInfo"}
_Key = tuple[str, str]
"""Kind and name."""


@dataclass(frozen=True)
class Text:
    """A tag or a piece of custom info."""

    kind: TextKind
    name: str
    value: str


def put(session: Session, resource: MetricResource, texts: Sequence[Text]) -> None:
    """Add or replace by name; of equal names the last counts. Raises InvalidRequest and TooLarge beyond the limits."""
    if not texts:
        return
    wanted: dict[_Key, str] = {(text.kind.value, text.name): text.value for text in texts}
    positions = _positions(session, resource)
    _refuse_too_many({*positions, *wanted})
    resource.custom_info_bytes += _growth(session, resource, wanted)
    if resource.custom_info_bytes > MOST_CUSTOM_INFO_BYTES:
        raise TooLarge(f"customInfo: all values of an execution have at most {MOST_CUSTOM_INFO_BYTES} bytes together")
    _write(session, resource, wanted, positions)


def _positions(session: Session, resource: MetricResource) -> dict[_Key, int]:
    rows = session.execute(select(MetricText.kind, MetricText.name, MetricText.position).where(*_of(resource)))
    return {(kind, name): position for kind, name, position in rows}


def _refuse_too_many(keys: set[_Key]) -> None:
    counts = Counter(kind for kind, _ in keys)
    for kind, field in _FIELDS.items():
        if counts[kind.value] > MOST_TEXTS:
            raise InvalidRequest(
                f"{field}: an execution has at most {MOST_TEXTS}, this would make it {counts[kind.value]}"
            )


def _growth(session: Session, resource: MetricResource, wanted: Mapping[_Key, str]) -> int:
    """Bytes of custom info that come, less those that they replace."""
    coming = {name: value for (kind, name), value in wanted.items() if kind == TextKind.CUSTOM_INFO.value}
    if not coming:
        return 0
    replaced = session.scalars(
        select(MetricText.value).where(
            *_of(resource), MetricText.kind == TextKind.CUSTOM_INFO.value, MetricText.name.in_(coming)
        )
    )
    return sum(len(value.encode()) for value in coming.values()) - sum(len(value.encode()) for value in replaced)


def _write(
    session: Session, resource: MetricResource, wanted: Mapping[_Key, str], positions: Mapping[_Key, int]
) -> None:
    place = {"resource_group": resource.resource_group, "execution_id": resource.execution_id}
    free = max(positions.values(), default=-1) + 1
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for (kind, name), value in wanted.items():
        row = {**place, "kind": kind, "name": name, "value": value}
        if (kind, name) in positions:
            changed.append(row)
        else:
            new.append({**row, "position": free + len(new)})
    if new:
        session.execute(insert(MetricText), new)
    if changed:
        session.execute(update(MetricText), changed)


def _of(resource: MetricResource) -> tuple[ColumnElement[bool], ...]:
    return (
        MetricText.resource_group == resource.resource_group,
        MetricText.execution_id == resource.execution_id,
    )
