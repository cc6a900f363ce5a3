"""What executions have measured is kept: metrics are appended, tags and custom info are put by name.

An execution need not be one of ours (people track notebooks), and what is tracked is separate per resource group.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mooring.errors import Forbidden, NotFound
from mooring.services import resource_groups
from mooring.services.tracked_texts import Text, put
from mooring.services.tracking_addresses import TrackedExecution
from mooring.store.tables import Execution, Labels, Metric, MetricResource
from mooring.store.types import utc_now


class NothingTracked(NotFound):
    """Nothing was tracked for this execution."""

    code = "02010055"


@dataclass(frozen=True)
class NewMetric:
    """A measured value; `labels` are `{"name", "value"}`. Without a timestamp it was measured now."""

    name: str
    value: float
    timestamp: datetime | None
    step: int
    labels: Labels


@dataclass(frozen=True)
class Additions:
    """What one call tracks for an execution."""

    execution_id: str
    metrics: Sequence[NewMetric] = ()
    texts: Sequence[Text] = ()


def add(session: Session, group: str, additions: Additions) -> None:
    """Add to what is tracked for an execution, which may be the first that is.

    Raises NotFound for an execution of another resource group, InvalidRequest and TooLarge beyond the limits.

    NotFound tells that there is this execution somewhere, because one that never was is tracked like a notebook. That
    is no way to find ids: an execution's has 60 random bits, so that guessing takes ages, and each wrong guess leaves
    something behind. Who has the id from elsewhere learns nothing but that it is one, and is kept from losing what is
    measured to the wrong resource group.
    """
    resource_groups.require(session, group)
    execution = session.get(Execution, additions.execution_id)
    if execution is not None and execution.resource_group != group:
        raise _no_execution(additions.execution_id, group)
    _add(session, group, additions)


def add_from_inside(session: Session, execution: TrackedExecution, additions: Additions) -> None:
    """What an execution tracks of itself. Raises Forbidden for another one, NotFound when it is no more."""
    if additions.execution_id != execution.id:
        raise Forbidden(f"executionId {additions.execution_id!r} is not the execution that this address belongs to")
    row = session.get(Execution, execution.id)
    if row is None or row.resource_group != execution.resource_group:
        raise _no_execution(execution.id, execution.resource_group)
    _add(session, execution.resource_group, additions)


def remove(session: Session, group: str, execution_id: str) -> None:
    """Forget everything that was tracked for an execution. Raises NothingTracked."""
    resource_groups.require(session, group)
    where = (MetricResource.resource_group == group, MetricResource.execution_id == execution_id)
    removed = session.execute(delete(MetricResource).where(*where).returning(MetricResource.execution_id))
    if removed.first() is None:
        raise NothingTracked(f"nothing is tracked for the execution {execution_id!r} in the resource group {group!r}")


def _add(session: Session, group: str, additions: Additions) -> None:
    resource = _locked(session, group, additions.execution_id)
    now = utc_now()
    place = {"resource_group": group, "execution_id": additions.execution_id}
    rows = [{**place, **vars(metric), "timestamp": metric.timestamp or now} for metric in additions.metrics]
    if rows:
        session.execute(insert(Metric), rows)
    put(session, resource, additions.texts)
    resource.modified_at = now


def _locked(session: Session, group: str, execution_id: str) -> MetricResource:
    """The resource, made when there is none; nobody else adds to it until this transaction ends."""
    key = (group, execution_id)
    found = session.get(MetricResource, key, with_for_update=True)
    if found is not None:
        return found
    # Somebody else may make it at this moment: then theirs is found below.
    with suppress(IntegrityError), session.begin_nested():
        session.add(MetricResource(resource_group=group, execution_id=execution_id))
    return session.get_one(MetricResource, key, with_for_update=True, populate_existing=True)


def _no_execution(execution_id: str, group: str) -> NotFound:
    return NotFound(f"there is no execution {execution_id!r} in the resource group {group!r}")
