"""Key figures count what is in the store, by what was selected, and of no group that the client may not use."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from mooring.store.tables import Artifact, Execution
from tests.api.api_server import Server, new_configuration, new_deployment
from tests.api.test_api_errors_have_one_shape import error_of

PATH = "/v2/analytics/kpis"


@pytest.fixture
def filled(server: Server, http: httpx.Client, group: str) -> str:
    """One deployment, two executions (which have made one of three artifacts); the group."""
    configuration_id = new_configuration(http)
    new_deployment(http, configuration_id)
    common = {"resource_group": group, "scenario_id": "mooring"}
    executions = [
        Execution(
            **common,
            id=f"{group}-{number}",
            configuration_id=configuration_id,
            configuration_name="n",
            executable_id=f"job-{number}",
            status="COMPLETED",
            target_status="COMPLETED",
        )
        for number in range(2)
    ]
    artifacts = [
        Artifact(**common, id=f"{group}-{number}", name="n", kind="model", url="ai://x/y", execution_id=made_by)
        for number, made_by in enumerate([None, None, executions[0].id])
    ]
    with server.database.transaction() as session:
        session.add_all([*executions, *artifacts])
    return group


@pytest.fixture
def bound(server: Server, filled: str) -> Iterator[httpx.Client]:
    """A client that may use this one group, so that it sees nothing of other tests."""
    token = server.context.tokens.issue(server.client.id, groups=[filled]).value
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


def _ask(client: httpx.Client, select: str | None = None) -> dict[str, Any]:
    answer = client.get(PATH, params=None if select is None else {"$select": select})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_by_default(bound: httpx.Client, filled: str) -> None:
    assert _ask(bound) == {
        "header": ["ResourceGroup", "Executions", "Artifacts", "Deployments"],
        "rows": [[filled, 2, 3, 1]],
    }


@pytest.mark.parametrize(
    ("select", "rows"),
    [
        ("Deployments,Artifacts", [[1, 3]]),
        ("Scenario,Executions", [["mooring", 2]]),
        (
            "Executable,Executions,Artifacts,Deployments",
            [["", 0, 2, 0], ["job-0", 1, 1, 0], ["job-1", 1, 0, 0], ["model-server", 0, 0, 1]],
        ),
        ("Deployments,Executable", [[1, "model-server"]]),
        ("Scenario", [["mooring"]]),
        ("Executions,Executions", [[2]]),
    ],
)
def test_what_is_selected(bound: httpx.Client, select: str, rows: list[list[Any]]) -> None:
    shown = _ask(bound, select)
    assert shown["rows"] == rows
    assert shown["header"] == list(dict.fromkeys(select.split(",")))


def test_a_client_of_all_groups_sees_all(server: Server, http: httpx.Client, filled: str, group: str) -> None:
    rows = _ask(http)["rows"]
    assert [filled, 2, 3, 1] in rows
    assert len({row[0] for row in rows}) == len(rows)


def test_a_client_whose_groups_are_empty_sees_nothing(server: Server) -> None:
    token = server.context.tokens.issue(server.client.id, groups=["nothing-there"]).value
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(server.url + PATH, headers=headers).json()["rows"] == []
    totals = httpx.get(f"{server.url}{PATH}?$select=Executions,Deployments", headers=headers).json()
    assert totals["rows"] == [[0, 0]]


@pytest.mark.parametrize("select", ["", "Replicas", "executions", "Executions,", "ResourceGroup;Executions", "*"])
def test_unknown_columns(http: httpx.Client, select: str) -> None:
    assert "$select" in error_of(http.get(PATH, params={"$select": select}), 400)["message"]
