"""Key figures: how many executions, artifacts and deployments there are, by what they belong to."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from mooring.store.tables import Artifact, Deployment, Execution


class Column(Enum):
    """What can be selected."""

    RESOURCE_GROUP = "ResourceGroup"
    SCENARIO = "Scenario"
    EXECUTABLE = "Executable"
    EXECUTIONS = "Executions"
    ARTIFACTS = "Artifacts"
    DEPLOYMENTS = "Deployments"


DEFAULT_COLUMNS = (Column.RESOURCE_GROUP, Column.EXECUTIONS, Column.ARTIFACTS, Column.DEPLOYMENTS)

_COUNTED: dict[Column, Any] = {
    Column.EXECUTIONS: Execution,
    Column.ARTIFACTS: Artifact,
    Column.DEPLOYMENTS: Deployment,
}
_Key = tuple[str, ...]


def rows(session: Session, columns: Sequence[Column], seen: frozenset[str] | None) -> list[list[str | int]]:
    """One row per combination that something belongs to, in order; `seen` are the groups that count, None means all.

    One query per figure. An artifact belongs to the executable whose execution has made it; others to none ("").
    Without a figure among the columns, the combinations themselves are found.
    """
    dimensions = [column for column in columns if column not in _COUNTED]
    figures = [column for column in columns if column in _COUNTED] or list(_COUNTED)
    counts = {figure: _counts(session, figure, dimensions, seen) for figure in figures}
    keys = sorted({key for found in counts.values() for key in found})
    return [_row(key, columns, dimensions, counts) for key in keys]


def _row(
    key: _Key, columns: Sequence[Column], dimensions: Sequence[Column], counts: dict[Column, dict[_Key, int]]
) -> list[str | int]:
    labels = dict(zip(dimensions, key, strict=True))
    return [labels[column] if column in labels else counts[column].get(key, 0) for column in columns]


def _counts(
    session: Session, figure: Column, dimensions: Sequence[Column], seen: frozenset[str] | None
) -> dict[_Key, int]:
    table = _COUNTED[figure]
    by = [_dimension(table, dimension) for dimension in dimensions]
    query: Select[*tuple[Any, ...]] = select(*by, func.count()).select_from(table).group_by(*by)
    if table is Artifact and Column.EXECUTABLE in dimensions:
        query = query.outerjoin(Execution, Execution.id == Artifact.execution_id)
    if seen is not None:
        query = query.where(table.resource_group.in_(seen))
    return {tuple(name or "" for name in key): number for *key, number in session.execute(query)}


def _dimension(table: Any, dimension: Column) -> Any:
    if dimension is Column.RESOURCE_GROUP:
        return table.resource_group
    if dimension is Column.SCENARIO:
        return table.scenario_id
    return Execution.executable_id if table is Artifact else table.executable_id
