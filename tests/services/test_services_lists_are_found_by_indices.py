"""Lists and counts read an index from where they begin to where they end: they sort nothing, and skip no other's."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text

from mooring.services import artifacts, configurations, deployments, execution_schedules, executions, tracked
from mooring.services.paging import Page, Place
from mooring.services.resource_groups import DEFAULT_GROUP
from mooring.store import migrate
from mooring.store.database import Database
from mooring.store.tables import (
    Artifact,
    Configuration,
    Deployment,
    Execution,
    ExecutionSchedule,
    Metric,
    MetricResource,
    ResourceGroup,
)
from tests.conftest import STORES
from tests.query_plans import plan_of, reads_all

_GROUPS = (DEFAULT_GROUP, "other-1", "other-2")
_ROWS = 1_000
_VALUES = 100
"""So many values does a column have that can be filtered by."""
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_LATER = Page(500, after=Place(_BEGINNING + timedelta(seconds=_ROWS // 2), "an-id"))
_NOUNS: dict[str, Any] = {
    "artifacts": artifacts,
    "configurations": configurations,
    "deployments": deployments,
    "executions": executions,
    "execution_schedules": execution_schedules,
}
_BY_INDEX: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("artifacts", {}, "resource_group"),
    ("artifacts", {"scenario_id": "v1"}, "scenario_id"),
    ("artifacts", {"execution_id": "v1"}, "execution_id"),
    ("artifacts", {"name": "v1"}, "name"),
    ("artifacts", {"kind": "v1"}, "kind"),
    ("configurations", {}, "resource_group"),
    ("configurations", {"scenario_id": "v1"}, "scenario_id"),
    ("configurations", {"executable_ids": ["v1"]}, "executable_id"),
    ("deployments", {}, "resource_group"),
    ("deployments", {"scenario_id": "v1"}, "scenario_id"),
    ("deployments", {"executable_ids": ["v1"]}, "executable_id"),
    ("deployments", {"configuration_id": "default-1"}, "configuration_id"),
    ("deployments", {"status": "v1"}, "status"),
    ("executions", {}, "resource_group"),
    ("executions", {"scenario_id": "v1"}, "scenario_id"),
    ("executions", {"executable_ids": ["v1"]}, "executable_id"),
    ("executions", {"configuration_id": "default-1"}, "configuration_id"),
    ("executions", {"execution_schedule_id": "v1"}, "execution_schedule_id"),
    ("executions", {"status": "v1"}, "status"),
    ("execution_schedules", {}, "resource_group"),
    ("execution_schedules", {"configuration_id": "default-1"}, "configuration_id"),
)
_WITHIN_THE_GROUP: tuple[tuple[str, dict[str, Any]], ...] = (
    ("artifacts", {"search": "x"}),
    ("artifacts", {"search": "x", "case_insensitive": True}),
    ("artifacts", {"scenario_id": "v1", "kind": "v1", "name": "v1"}),
    ("configurations", {"search": "x", "case_insensitive": True}),
    ("configurations", {"executable_ids": ["v1", "v2", "v3"]}),
    ("configurations", {"scenario_id": "v1", "executable_ids": ["v1", "v2"]}),
    ("deployments", {"executable_ids": ["v1", "v2"], "status": "v1"}),
    ("executions", {"executable_ids": ["v1", "v2"], "status": "v1"}),
)


@pytest.fixture(scope="module", params=STORES)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Filled once: the tests only read."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('indices') / 'mooring.db'}"
    else:
        url = request.getfixturevalue("postgresql").new_database()
    opened = Database(url)
    migrate.upgrade(opened)
    for group in _GROUPS:
        _fill(opened, group)
    if opened.engine.dialect.name == "postgresql":  # SQLite's planner is used without statistics
        with opened.transaction() as session:
            session.execute(text("ANALYZE"))
    yield opened
    opened.close()


@pytest.mark.parametrize("page", [Page(100), _LATER], ids=["first", "later"])
@pytest.mark.parametrize(("noun", "filters", "column"), _BY_INDEX)
def test_a_page(database: Database, page: Page, noun: str, filters: dict[str, Any], column: str) -> None:
    service = _NOUNS[noun]
    plan = plan_of(database, lambda session: service.list_of(session, DEFAULT_GROUP, service.Filter(**filters), page))
    _refuse_detours(plan, noun)
    assert f"{column}=" in plan, plan


@pytest.mark.parametrize("page", [Page(100), _LATER], ids=["first", "later"])
@pytest.mark.parametrize(("noun", "filters"), _WITHIN_THE_GROUP)
def test_a_page_that_is_searched_for_within_the_group(
    database: Database, page: Page, noun: str, filters: dict[str, Any]
) -> None:
    service = _NOUNS[noun]
    plan = plan_of(database, lambda session: service.list_of(session, DEFAULT_GROUP, service.Filter(**filters), page))
    _refuse_detours(plan, noun)
    assert "resource_group=" in plan, plan


@pytest.mark.parametrize(("noun", "filters", "column"), _BY_INDEX)
def test_a_count(database: Database, noun: str, filters: dict[str, Any], column: str) -> None:
    service = _NOUNS[noun]
    plan = plan_of(database, lambda session: service.count(session, DEFAULT_GROUP, service.Filter(**filters)))
    _refuse_detours(plan, noun)
    assert f"{column}=" in plan, plan


def test_outputs_of_executions(database: Database) -> None:
    plan = plan_of(
        database, lambda session: executions.outputs_of(session, DEFAULT_GROUP, ["e1", "e2"]), detours=("seqscan",)
    )
    assert not reads_all(plan, "artifacts"), plan
    assert "execution_id" in plan, plan


def test_a_piece_of_metrics(database: Database) -> None:
    """Read from where the last piece ended: neither what is before it nor other executions', and nothing is sorted."""
    plan = plan_of(database, lambda session: tracked.metrics(session, DEFAULT_GROUP, "v1", after=_ROWS, most=10))
    _refuse_detours(plan, "metrics")
    assert "execution_id=" in plan, plan
    assert "id>" in plan.replace(" ", "").replace("execution_id", ""), plan


def _fill(database: Database, group: str) -> None:
    numbers = range(_ROWS)
    with database.transaction() as session:
        session.execute(insert(ResourceGroup), [{"id": group, "labels": []}])
        session.execute(insert(Configuration), [_row(group, n) for n in numbers])
        session.execute(insert(Artifact), [{**_row(group, n), "kind": _value(n), "url": "a://b"} for n in numbers])
        for table in (Deployment, Execution):
            session.execute(insert(table), [{**_row(group, n), **_run(group, n)} for n in numbers])
        schedules = [{**_row(group, n), **_run(group, n), "cron": "* * * * *"} for n in numbers]
        session.execute(insert(ExecutionSchedule), schedules)
        tracking = [{"resource_group": group, "execution_id": _value(n)} for n in range(_VALUES)]
        session.execute(insert(MetricResource), tracking)
        measured = {"name": "m", "value": 1.0, "timestamp": _BEGINNING, "step": 0, "labels": []}
        session.execute(insert(Metric), [{**tracking[n % _VALUES], **measured} for n in numbers])


def _row(group: str, number: int) -> dict[str, Any]:
    return {
        "id": f"{group}-{number}",
        "resource_group": group,
        "name": _value(number),
        "scenario_id": _value(number),
        "executable_id": _value(number),
        "execution_id": _value(number),
        "created_at": _BEGINNING + timedelta(seconds=number),
    }


def _run(group: str, number: int) -> dict[str, Any]:
    return {
        "configuration_id": f"{group}-{number}",
        "configuration_name": _value(number),
        "execution_schedule_id": _value(number),
        "status": _value(number),
        "target_status": "RUNNING",
        "last_operation": "CREATE",
        "suspended": False,
    }


def _value(number: int) -> str:
    return f"v{number % _VALUES}"


def _refuse_detours(plan: str, noun: str) -> None:
    assert not reads_all(plan, noun), plan
    assert "temp b-tree" not in plan, plan
    assert "sort" not in plan, plan
