"""What was tracked, as it is asked for: a handful of queries, however many executions and metrics there are."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import Session

from mooring.services import resource_groups
from mooring.services.labels import Selector
from mooring.services.paging import ListedRow
from mooring.services.tracked_texts import TextKind
from mooring.store.tables import Metric, MetricResource, MetricText
from mooring.store.types import unparsed


class Part(Enum):
    """What can be asked for."""

    METRICS = "metrics"
    TAGS = "tags"
    CUSTOM_INFO = "customInfo"


@dataclass(frozen=True)
class Filter:
    """Which executions, and which parts of what was tracked for them."""

    execution_ids: Sequence[str]
    tags: Sequence[Selector] = ()
    parts: frozenset[Part] = frozenset(Part)


_Rows = Sequence[ListedRow]


@dataclass(frozen=True)
class Tracked:
    """Rows by execution: `resources` in order, `metrics` and `texts` in the order in which they came."""

    resources: _Rows
    metrics: Mapping[str, _Rows] = field(default_factory=dict)
    texts: Mapping[tuple[str, TextKind], _Rows] = field(default_factory=dict)


def find(session: Session, group: str, wanted: Filter, *, top: int, skip: int) -> Tracked:
    """The newest first; `top` and `skip` count executions."""
    resource_groups.require(session, group)
    table = MetricResource
    query: Select[*tuple[Any, ...]] = (
        select(table.execution_id, table.created_at, table.modified_at)
        .where(*_conditions(group, wanted))
        .order_by(table.created_at.desc(), table.execution_id.desc())
    )
    resources = session.execute(query.limit(top).offset(skip)).all()
    found = [row.execution_id for row in resources]
    kinds = [kind for kind, part in _PARTS.items() if part in wanted.parts]
    return Tracked(
        resources,
        metrics=_metrics(session, group, found) if Part.METRICS in wanted.parts else {},
        texts=_texts(session, group, found, kinds) if kinds else {},
    )


_PARTS = {TextKind.TAG: Part.TAGS, TextKind.CUSTOM_INFO: Part.CUSTOM_INFO}


def _metrics(session: Session, group: str, ids: Sequence[str]) -> dict[str, list[ListedRow]]:
    table = Metric
    query: Select[*tuple[Any, ...]] = (
        select(table.execution_id, table.name, table.value, table.timestamp, table.step, unparsed(table.labels))
        .where(table.resource_group == group, table.execution_id.in_(ids))
        .order_by(table.id)
    )
    by_execution: dict[str, list[ListedRow]] = defaultdict(list)
    for row in session.execute(query):
        by_execution[row.execution_id].append(row)
    return by_execution


def _texts(
    session: Session, group: str, ids: Sequence[str], kinds: Sequence[TextKind]
) -> dict[tuple[str, TextKind], list[ListedRow]]:
    table = MetricText
    query: Select[*tuple[Any, ...]] = (
        select(table.execution_id, table.kind, table.name, table.value)
        .where(table.resource_group == group, table.execution_id.in_(ids), table.kind.in_([k.value for k in kinds]))
        .order_by(table.position)
    )
    by_kind: dict[tuple[str, TextKind], list[ListedRow]] = defaultdict(list)
    for row in session.execute(query):
        by_kind[row.execution_id, TextKind(row.kind)].append(row)
    return by_kind


def _conditions(group: str, wanted: Filter) -> Iterator[ColumnElement[bool]]:
    yield MetricResource.resource_group == group
    yield MetricResource.execution_id.in_(wanted.execution_ids)
    yield from (_tagged(selector) for selector in wanted.tags)


def _tagged(selector: Selector) -> ColumnElement[bool]:
    has_it = exists().where(
        MetricText.resource_group == MetricResource.resource_group,
        MetricText.execution_id == MetricResource.execution_id,
        MetricText.kind == TextKind.TAG.value,
        MetricText.name == selector.key,
        MetricText.value == selector.value,
    )
    return has_it if selector.equal else ~has_it
