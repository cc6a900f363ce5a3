"""Executions in a whole installation while nothing can run them: they wait, say so, and can be ended."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from mooring.store.database import Database
from mooring.store.tables import Executable
from tests.system.running_mooring import RunningMooring, wait_until

pytestmark = pytest.mark.slow
PATH = "/v2/lm/executions"


@pytest.fixture
def http(mooring: RunningMooring) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=mooring.url, headers=mooring.headers(), timeout=30) as client:
        yield client


@pytest.fixture
def configuration_id(mooring: RunningMooring, http: httpx.Client) -> str:
    """Of an executable as a template would make it."""
    database = Database(f"sqlite:///{mooring.home / 'mooring.db'}")
    facts: dict[str, Any] = {"scenario_id": "mooring", "name": "train", "version_id": "1", "deployable": False}
    with database.transaction() as session:
        session.add(Executable(id="train", **facts))
    database.close()
    body = {"name": "train", "scenarioId": "mooring", "executableId": "train"}
    return str(http.post("/v2/lm/configurations", json=body).raise_for_status().json()["id"])


def test_a_life_without_a_run(mooring: RunningMooring, http: httpx.Client, configuration_id: str) -> None:
    created = http.post(PATH, json={"configurationId": configuration_id}).raise_for_status().json()
    path = f"{PATH}/{created['id']}"

    def has(status: str) -> bool:
        return bool(http.get(path).raise_for_status().json()["status"] == status)

    wait_until(lambda: has("PENDING"), what="PENDING")
    assert "waits for" in http.get(path).json()["statusMessage"]
    assert http.delete(path).status_code == 412
    assert http.patch(path, json={"targetStatus": "STOPPED"}).status_code == 202
    wait_until(lambda: has("STOPPED"), what="STOPPED")
    assert "completionTime" in http.get(path).json()
    assert http.delete(path).status_code == 202
    wait_until(lambda: http.get(path).status_code == 404, what="the removal")
