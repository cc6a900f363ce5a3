"""How long a deployment has been DEAD is known from the store, whoever looks."""

from datetime import timedelta
from pathlib import Path

import pytest

from mooring.controllers.preparation import Preparations
from mooring.controllers.views import Viewer
from mooring.domain.actions import Remove
from mooring.domain.deployments import plan
from mooring.domain.lifecycle import Status
from mooring.runtimes.process.runtime import ProcessRuntime
from mooring.store.database import Database
from mooring.store.tables import Deployment
from mooring.store.types import utc_now
from tests.domain.simulated_deployment import POLICY


@pytest.fixture
def viewer(database: Database, tmp_path: Path) -> Viewer:
    runtime = ProcessRuntime(folder=tmp_path / "replicas", sockets=tmp_path / "sockets")
    return Viewer(database, runtime, Preparations(lambda _group, _spec, known: known, on_change=lambda: None))


def become(database: Database, deployment_id: str, status: Status, *, days_ago: int) -> None:
    with database.transaction() as session:
        row = session.get_one(Deployment, deployment_id)
        row.status, row.modified_at = status.value, utc_now() - timedelta(days=days_ago)
        row.revisions[0].state = "failed"


@pytest.mark.parametrize(
    ("status", "days_ago", "removed"),
    [
        (Status.DEAD, 8, True),
        (Status.DEAD, 6, False),
        (Status.STOPPED, 8, False),
        (Status.RUNNING, 8, False),
    ],
)
def test_only_what_has_been_dead_for_seven_days_goes(
    database: Database, viewer: Viewer, deployment_id: str, status: Status, days_ago: int, removed: bool
) -> None:
    become(database, deployment_id, status, days_ago=days_ago)
    look = viewer.look(deployment_id)
    assert look
    assert (look.view.dead_since is not None) is (status is Status.DEAD)
    assert (Remove() in plan(look.view, utc_now(), POLICY)) is removed
    assert deployment_id in viewer.all_ids()
