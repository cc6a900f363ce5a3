"""A list costs the same few queries for each of its pieces, however many items there are in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import event, insert

from mooring.api.long_lists import PIECE
from mooring.store.tables import Artifact, Configuration, Deployment
from mooring.store.types import utc_now
from tests.api.api_server import Server, new_configuration

MANY = 10_000


@contextmanager
def _counted_queries(server: Server) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT") and "FROM clients" not in statement:  # who calls is asked now and then
            statements.append(statement)

    event.listen(server.database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(server.database.engine, "before_cursor_execute", note)


@pytest.fixture
def many(server: Server, http: httpx.Client, group: str) -> None:
    configuration_id = new_configuration(http)
    now = utc_now()
    common = {"resource_group": group, "scenario_id": "mooring"}
    configurations, artifacts, deployments = [], [], []
    for number in range(MANY):
        row = {**common, "id": f"{group}-{number}", "name": f"n{number}", "created_at": now + timedelta(seconds=number)}
        configurations.append({**row, "executable_id": "model-server", "parameter_bindings": []})
        artifacts.append({**row, "kind": "model", "url": "ai://x/y"})
        deployment = {name: value for name, value in row.items() if name != "name"}
        deployments.append(
            {
                **deployment,
                "configuration_id": configuration_id,
                "configuration_name": "n",
                "executable_id": "model-server",
                "status": "RUNNING",
                "target_status": "RUNNING",
                "last_operation": "CREATE",
            }
        )
    with server.database.transaction() as session:
        session.execute(insert(Configuration), configurations)
        session.execute(insert(Artifact), artifacts)
        session.execute(insert(Deployment), deployments)


@pytest.mark.slow
@pytest.mark.usefixtures("many")
def test_ten_thousand(http: httpx.Client, server: Server, group: str) -> None:
    for noun, extra in (("configurations", 1), ("artifacts", 0), ("deployments", 0)):
        for query, queries in (("", 2), ("?$top=100", 2), ("?$expand=scenario", 3 if noun != "deployments" else 2)):
            with _counted_queries(server) as statements:
                shown = http.get(f"/v2/lm/{noun}{query}").json()
            # The beginning is read in parts: nobody knows how long the items are.
            pieces = 2 if "top" in query else MANY // PIECE + 2
            assert len(statements) == queries * pieces, statements
            assert shown["count"] == len(shown["resources"]) == (100 if "top" in query else MANY)
        newest = http.get(f"/v2/lm/{noun}?$top=2").json()["resources"]
        assert [item["id"] for item in newest] == [f"{group}-{MANY - 1}", f"{group}-{MANY - 2}"]
        assert http.get(f"/v2/lm/{noun}/$count").text == str(MANY + extra)
