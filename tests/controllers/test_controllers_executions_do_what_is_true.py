"""What becomes of executions while nothing can run them, on a real store."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from mooring.controllers.executions import ExecutionController
from mooring.controllers.leases import LeaseLost, Leases
from mooring.domain.executions import WAITING
from mooring.domain.lifecycle import Status, TargetStatus
from mooring.services import execution_changes, executions
from mooring.store.database import Database
from mooring.store.tables import Artifact, Configuration, Executable, Execution
from mooring.store.types import utc_now

GROUP = "default"


@pytest.fixture
def controller(database: Database) -> ExecutionController:
    return ExecutionController(database, Leases(database, Execution, seconds=30))


@pytest.fixture
def execution_id(database: Database) -> str:
    """Just created."""
    common = {"scenario_id": "mooring", "name": "train"}
    with database.transaction() as session:
        session.add(Executable(id="train", version_id="1", deployable=False, **common))
        session.flush()
        session.add(Configuration(id="c1", resource_group=GROUP, executable_id="train", **common))
        session.flush()
        return executions.create(session, GROUP, "c1").id


def act(database: Database, execution_id: str, status: Status) -> None:
    with database.transaction() as session:
        session.get_one(Execution, execution_id).status = status.value


def run(controller: ExecutionController) -> None:
    """Steps for all that need some, until none does."""
    for _ in range(10):
        ids = controller.all_ids()
        if not ids:
            return
        for each in ids:
            assert controller.step(each)
    raise AssertionError("it never comes to rest")


def look(database: Database, execution_id: str) -> Execution:
    with database.reading() as session:
        return executions.get(session, GROUP, execution_id)


def test_a_new_one_waits_and_says_for_what(
    database: Database, controller: ExecutionController, execution_id: str
) -> None:
    run(controller)
    row = look(database, execution_id)
    assert (row.status, row.status_message) == (Status.PENDING.value, WAITING)
    assert row.modified_at > row.created_at
    assert (row.submission_time, row.lease_token) == (None, None)


@pytest.mark.parametrize("status", [Status.PENDING, Status.RUNNING])
def test_a_stop_is_done_at_once(
    database: Database, controller: ExecutionController, execution_id: str, status: Status
) -> None:
    act(database, execution_id, status)
    with database.transaction() as session:
        execution_changes.stop(session, GROUP, execution_id)
    run(controller)
    row = look(database, execution_id)
    assert (row.status, row.target_status, row.status_message) == ("STOPPED", "STOPPED", "")
    assert row.completion_time == row.modified_at


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.COMPLETED, Status.DEAD, Status.STOPPED])
def test_a_deletion_leaves_what_was_made(
    database: Database, controller: ExecutionController, execution_id: str, status: Status
) -> None:
    act(database, execution_id, status)
    facts = {"resource_group": GROUP, "scenario_id": "mooring", "execution_id": execution_id}
    with database.transaction() as session:
        session.add(Artifact(id="made", name="model", kind="model", url="ai://default/x", **facts))
        execution_changes.delete(session, GROUP, execution_id)
    run(controller)
    with database.reading() as session:
        assert executions.find_many(session, GROUP, [execution_id]) == {}
        assert session.get_one(Artifact, "made").execution_id == execution_id


@pytest.mark.parametrize("status", [Status.PENDING, Status.RUNNING, Status.COMPLETED, Status.DEAD])
def test_one_at_rest_costs_no_query_of_its_own(
    database: Database, controller: ExecutionController, execution_id: str, status: Status
) -> None:
    act(database, execution_id, status)
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda _c, _r, statement, *_: statements.append(statement))
    assert controller.all_ids() == []
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 1


def test_what_its_owner_asks_for_meanwhile_wins(
    database: Database, controller: ExecutionController, execution_id: str
) -> None:
    lease = controller.leases.take(execution_id, 1)
    assert lease
    with database.transaction() as session:
        execution_changes.delete(session, GROUP, execution_id)
    with pytest.raises(LeaseLost), controller.leases.recording(lease):
        pass
    assert controller.step(execution_id) is False, "the lease is somebody else's"
    controller.leases.give_back(lease)
    assert controller.step(execution_id) is True
    assert controller.step(execution_id) is True, "one that is gone needs nothing"
    assert controller.all_ids() == []


def test_a_dead_controllers_lease_runs_out(
    database: Database, controller: ExecutionController, execution_id: str
) -> None:
    assert controller.leases.take(execution_id, 1)
    assert controller.step(execution_id) is False
    with database.transaction() as session:
        session.get_one(Execution, execution_id).lease_expires_at = utc_now() - timedelta(seconds=1)
    run(controller)
    row = look(database, execution_id)
    assert (row.status, row.target_status) == (Status.PENDING.value, TargetStatus.COMPLETED.value)
