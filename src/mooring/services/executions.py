"""Executions: single runs of a configuration. A controller does the work; here lies what was asked for."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from mooring.domain.identifiers import new_execution_id
from mooring.domain.lifecycle import Status, TargetStatus
from mooring.errors import NotFound
from mooring.services import resource_groups
from mooring.services.execution_checks import configuration_to_run
from mooring.services.paging import ListedRow, Page
from mooring.store.tables import Artifact, Execution

_LISTED = (
    Execution.id,
    Execution.configuration_id,
    Execution.configuration_name,
    Execution.executable_id,
    Execution.scenario_id,
    Execution.execution_schedule_id,
    Execution.status,
    Execution.status_message,
    Execution.target_status,
    Execution.created_at,
    Execution.modified_at,
    Execution.submission_time,
    Execution.start_time,
    Execution.completion_time,
)


@dataclass(frozen=True)
class Filter:
    """Which executions are listed; None asks for all."""

    scenario_id: str | None = None
    configuration_id: str | None = None
    executable_ids: Sequence[str] | None = None
    execution_schedule_id: str | None = None
    status: str | None = None


def create(session: Session, group: str, configuration_id: str, *, schedule_id: str | None = None) -> Execution:
    """Record an execution; a controller takes it from there. Raises InvalidRequest, naming the field."""
    resource_groups.require(session, group)
    to_run = configuration_to_run(session, group, configuration_id)
    configuration = to_run.configuration
    created = Execution(
        id=new_execution_id(),
        resource_group=group,
        configuration_id=configuration.id,
        configuration_name=configuration.name,
        scenario_id=configuration.scenario_id,
        executable_id=configuration.executable_id,
        execution_schedule_id=schedule_id,
        status=Status.UNKNOWN.value,
        target_status=TargetStatus.COMPLETED.value,
        workflow=to_run.workflow,
    )
    session.add(created)
    session.flush()
    return created


def get(session: Session, group: str, execution_id: str, *, to_change: bool = False) -> Execution:
    """Raises NotFound, also for one of another group."""
    found = find_many(session, group, [execution_id], to_change=to_change).get(execution_id)
    if found is None:
        raise not_found(group, execution_id)
    return found


def find_many(session: Session, group: str, ids: Collection[str], *, to_change: bool = False) -> dict[str, Execution]:
    """Those of the given executions that exist in the group.

    With `to_change`, nobody else changes them until the transaction ends (on SQLite that holds anyway).
    """
    query = select(Execution).where(Execution.resource_group == group, Execution.id.in_(ids))
    if to_change:
        query = query.order_by(Execution.id).with_for_update()  # in one order, against deadlocks
    return {row.id: row for row in session.scalars(query)}


def not_found(group: str, execution_id: str) -> NotFound:
    """The same words for an execution that never was and for one of another group."""
    return NotFound(f"there is no execution {execution_id!r} in the resource group {group!r}")


def outputs_of(session: Session, group: str, ids: Collection[str]) -> dict[str, list[Artifact]]:
    """What these executions have made, oldest first, by execution; one query for all of them."""
    if not ids:
        return {}
    query = select(Artifact).where(Artifact.resource_group == group, Artifact.execution_id.in_(ids))
    found: dict[str, list[Artifact]] = {}
    # Sorted here: asked to sort, SQLite would rather read all artifacts of the group in that order.
    for row in sorted(session.scalars(query), key=lambda row: (row.created_at, row.id)):
        found.setdefault(row.execution_id or "", []).append(row)
    return found


def list_of(session: Session, group: str, wanted: Filter, page: Page) -> Sequence[ListedRow]:
    """The executions of a group that are asked for, newest first: plain rows with the columns' names."""
    resource_groups.require(session, group)
    query = select(*_LISTED).where(*_conditions(group, wanted))
    return session.execute(page.of(query, Execution.created_at, Execution.id)).all()


def count(session: Session, group: str, wanted: Filter) -> int:
    """How many `list_of` would find without a page."""
    resource_groups.require(session, group)
    query = select(func.count()).select_from(Execution).where(*_conditions(group, wanted))
    return session.scalar(query) or 0


def _conditions(group: str, wanted: Filter) -> Iterator[ColumnElement[bool]]:
    yield Execution.resource_group == group
    exact = (
        (Execution.scenario_id, wanted.scenario_id),
        (Execution.configuration_id, wanted.configuration_id),
        (Execution.execution_schedule_id, wanted.execution_schedule_id),
        (Execution.status, wanted.status),
    )
    yield from (column == value for column, value in exact if value is not None)
    if wanted.executable_ids is not None:
        yield Execution.executable_id.in_(wanted.executable_ids)
