"""A store with many objects, written in bulk."""

import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Table, func, insert, select, text

from mooring.store.database import Database
from mooring.store.tables import Artifact, Base, Configuration, Deployment, Execution, ResourceGroup, Revision

CONFIGURATIONS = 100_000
ARTIFACTS = 20_000
EXECUTIONS = 20_000
DEPLOYMENTS = 2_000
RARE = 1_000
"""One in so many objects has the value that filters ask for."""
_BATCH = 5_000
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)

Values = dict[str, Any]


def fill(database: Database, group: str) -> None:
    """A resource group with everything in it. What could run is stopped, so that controllers leave it alone."""
    identifiers = [str(uuid.uuid4()) for _ in range(CONFIGURATIONS)]
    _insert(database, ResourceGroup.__table__, [{"id": group, "labels": []}])
    _insert(database, Configuration.__table__, (_configuration(group, n, i) for n, i in enumerate(identifiers)))
    _insert(database, Artifact.__table__, (_artifact(group, n) for n in range(ARTIFACTS)))
    _insert(database, Execution.__table__, (_run_of(group, n, identifiers[n], "COMPLETED") for n in range(EXECUTIONS)))
    deployments = [_deployment(group, n, identifiers[n]) for n in range(DEPLOYMENTS)]
    _insert(database, Deployment.__table__, deployments)
    _insert(database, Revision.__table__, map(_revision, deployments))


def fill_with_runs_of_a_pipeline(database: Database, group: str, count: int, like: Configuration) -> None:
    """Configurations of one name and executable, as pushes leave them: each has bound another commit."""
    values = {"name": like.name, "scenario_id": like.scenario_id, "executable_id": like.executable_id}
    commits = (uuid.uuid4().hex for _ in range(count))
    rows_of = (
        {**_configuration(group, n, str(uuid.uuid4())), **values, "parameter_bindings": [{"key": "commit", "value": c}]}
        for n, c in enumerate(commits)
    )
    _insert(database, Configuration.__table__, rows_of)


def tidy(database: Database) -> None:
    """What PostgreSQL's autovacuum would do in a while; SQLite needs none."""
    if database.engine.dialect.name == "postgresql":
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def rows(database: Database) -> int:
    """How many rows there are in all tables together."""
    with database.reading() as session:
        tables = Base.metadata.sorted_tables
        return sum(session.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


def _insert(database: Database, table: Any, values: Iterable[Values]) -> None:
    remaining: Iterator[Values] = iter(values)
    assert isinstance(table, Table)
    with database.transaction() as session:
        while batch := list(islice(remaining, _BATCH)):
            session.execute(insert(table), batch)


def _configuration(group: str, number: int, identifier: str) -> Values:
    return {
        "id": identifier,
        "resource_group": group,
        "name": f"configuration {number}",
        "scenario_id": _rare(number, "scenario"),
        "executable_id": "model-server",
        "parameter_bindings": [
            {"key": "modelUri", "value": f"models:/wine-{number}/1"},
            {"key": "greeting", "value": "a text of some length, as parameters often are"},
        ],
        "input_artifact_bindings": [],
        "created_at": _moment(number),
    }


def _artifact(group: str, number: int) -> Values:
    return {
        "id": str(uuid.uuid4()),
        "resource_group": group,
        "name": _rare(number, "artifact"),
        "kind": "model",
        "url": f"ai://default/models/{number}",
        "scenario_id": "mooring",
        "description": "",
        "labels": [{"key": "ext.ai.sap.com/number", "value": str(number)}],
        "created_at": _moment(number),
        "modified_at": _moment(number),
    }


def _run_of(group: str, number: int, configuration_id: str, over: str) -> Values:
    """What executions and deployments have in common."""
    return {
        "id": f"e{uuid.uuid4().hex[:15]}",
        "resource_group": group,
        "configuration_id": configuration_id,
        "configuration_name": f"configuration {number}",
        "scenario_id": "mooring",
        "executable_id": "model-server",
        "status": over if number % RARE else "DEAD",
        "status_message": "",
        "target_status": over,
        "created_at": _moment(number),
        "modified_at": _moment(number),
        "submission_time": _moment(number),
    }


def _deployment(group: str, number: int, configuration_id: str) -> Values:
    return {
        **_run_of(group, number, configuration_id, "STOPPED"),
        "id": f"d{uuid.uuid4().hex[:15]}",
        "status": "STOPPED",
        "last_operation": "UPDATE",
        "latest_running_configuration_id": configuration_id,
    }


def _revision(deployment: Values) -> Values:
    return {
        "id": f"r{uuid.uuid4().hex[:15]}",
        "deployment_id": deployment["id"],
        "number": 1,
        "configuration_id": deployment["configuration_id"],
        "spec": {},
        "state": "RELEASED",
        "created_at": deployment["created_at"],
    }


def _rare(number: int, name: str) -> str:
    return f"{name}-rare" if number % RARE == 0 else f"{name}-often"


def _moment(number: int) -> datetime:
    """One every 20 s, with microseconds."""
    return _BEGINNING + timedelta(seconds=20 * number, microseconds=number % 1_000_000)
