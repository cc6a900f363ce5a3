"""From a local repository to a schedule that fires: once, also when the control plane was dead at its time."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.git_server import Repo
from tests.system.running_mooring import RunningMooring, wait_until

pytestmark = pytest.mark.slow
_TEMPLATE = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata:
  name: nightly
  annotations:
    scenarios.ai.sap.com/name: nights
    executables.ai.sap.com/name: nightly
  labels:
    scenarios.ai.sap.com/id: nights
    ai.sap.com/version: "1"
spec:
  entrypoint: main
  templates:
  - name: main
    container:
      image: example/nobody-has-this:1
      command: ["true"]
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    folder = tmp_path / "git" / "templates"
    folder.mkdir(parents=True)
    made = Repo(folder, f"file://{folder}")
    made.git("init", "--quiet", "--initial-branch=main")
    made.commit({"nightly.yaml": _TEMPLATE})
    return made


@pytest.fixture
def mooring(tmp_path: Path, repo: Repo) -> Iterator[RunningMooring]:
    folders = {"MOORING_GIT_FOLDERS": json.dumps([str(repo.folder.parent)])}
    with RunningMooring(tmp_path / "home", folders) as running:
        yield running


def _http(mooring: RunningMooring) -> httpx.Client:
    headers = {**mooring.headers(), "AI-Resource-Group": "default"}
    return httpx.Client(base_url=mooring.url, headers=headers, timeout=30)


def _schedule(mooring: RunningMooring, repo: Repo) -> str:
    """Of a configuration of what the repository holds; due in a year at the latest."""
    with _http(mooring) as http:
        body = {"url": repo.url, "username": "", "password": "", "name": "local"}
        http.post("/v2/admin/repositories", json=body).raise_for_status()
        source = {"repositoryName": "local", "revision": "main", "path": "."}
        http.post("/v2/admin/applications", json=source).raise_for_status()
        executable = "/v2/lm/scenarios/nights/executables/nightly"
        wait_until(lambda: http.get(executable).status_code == httpx.codes.OK, what="the executable")
        chosen = {"name": "nightly", "scenarioId": "nights", "executableId": "nightly"}
        configuration = http.post("/v2/lm/configurations", json=chosen).json()["id"]
        body = {"name": "nightly", "cron": "0 0 1 1 *", "configurationId": configuration}
        made: str = http.post("/v2/lm/executionSchedules", json=body).json()["id"]
        return made


def _set_due(mooring: RunningMooring, moment: datetime) -> None:
    with sqlite3.connect(mooring.home / "mooring.db", timeout=30) as store:
        store.execute("UPDATE execution_schedules SET next_run_at = ?", [moment.strftime("%Y-%m-%d %H:%M:%S.%f")])


def _is_due(mooring: RunningMooring) -> datetime:
    with sqlite3.connect(mooring.home / "mooring.db", timeout=30) as store:
        (text,) = store.execute("SELECT next_run_at FROM execution_schedules").fetchone()
        return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _runs(mooring: RunningMooring, schedule: str) -> int:
    with _http(mooring) as http:
        return int(http.get("/v2/lm/executions/$count", params={"executionScheduleId": schedule}).text)


def test_what_came_due_while_nobody_was_there(mooring: RunningMooring, repo: Repo) -> None:
    schedule = _schedule(mooring, repo)
    assert _runs(mooring, schedule) == 0
    for missed, runs in ((timedelta(seconds=90), 1), (timedelta(minutes=11), 1), (timedelta(seconds=1), 2)):
        mooring.kill("control-plane")
        _set_due(mooring, datetime.now(UTC) - missed)
        mooring.up()
        wait_until(lambda: _is_due(mooring) > datetime.now(UTC), what="the next time")
        assert _runs(mooring, schedule) == runs
    mooring.kill("control-plane")
    mooring.up()
    assert _runs(mooring, schedule) == 2
