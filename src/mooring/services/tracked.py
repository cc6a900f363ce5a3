"""What was tracked, as it is asked for: a query for all executions, then two for each, and one per piece of metrics."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
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


def find(session: Session, group: str, wanted: Filter, *, top: int, skip: int) -> Sequence[ListedRow]:
    """What there is about each execution (`execution_id`, `created_at`, `modified_at`), the newest first."""
    resource_groups.require(session, group)
    table = MetricResource
    query: Select[*tuple[Any, ...]] = (
        select(table.execution_id, table.created_at, table.modified_at)
        .where(*_conditions(group, wanted))
        .order_by(table.created_at.desc(), table.execution_id.desc())
    )
    return session.execute(query.limit(top).offset(skip)).all()


def metrics(session: Session, group: str, execution_id: str, *, after: int, most: int) -> Sequence[ListedRow]:
    """The next metrics of an execution, in the order in which they came, behind that with this id; 0 is before all."""
    table = Metric
    query: Select[*tuple[Any, ...]] = (
        select(table.id, table.name, table.value, table.timestamp, table.step, unparsed(table.labels))
        .where(table.resource_group == group, table.execution_id == execution_id, table.id > after)
        # The same order as that of the id alone, but spelled as the index is.
        .order_by(table.resource_group, table.execution_id, table.id)
    )
    return session.execute(query.limit(most)).all()


def texts(
    session: Session, group: str, execution_id: str, parts: Collection[Part]
) -> Mapping[Part, Sequence[ListedRow]]:
    """The tags and the custom info of an execution, as far as they are wanted, in the order of their names' arrival."""
    kinds = [kind.value for kind, part in _PARTS.items() if part in parts]
    found: dict[Part, list[ListedRow]] = defaultdict(list)
    if kinds:
        table = MetricText
        query: Select[*tuple[Any, ...]] = (
            select(table.kind, table.name, table.value)
            .where(table.resource_group == group, table.execution_id == execution_id, table.kind.in_(kinds))
            .order_by(table.position)
        )
        for row in session.execute(query):
            found[_PARTS[TextKind(row.kind)]].append(row)
    return found


_PARTS = {TextKind.TAG: Part.TAGS, TextKind.CUSTOM_INFO: Part.CUSTOM_INFO}


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
