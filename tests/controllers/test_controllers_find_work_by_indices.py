"""Looking for work costs next to nothing, however much has ended."""

from mooring.controllers.executions import ExecutionController
from mooring.controllers.leases import Leases
from mooring.store.database import Database
from mooring.store.tables import Execution
from tests.query_plans import plan_of, reads_all


def test_executions_that_have_ended_are_not_read(database: Database) -> None:
    controller = ExecutionController(database, Leases(database, Execution, seconds=30))
    plan = plan_of(database, lambda _session: controller.all_ids(), detours=("seqscan",))
    assert not reads_all(plan, "executions"), plan
    assert "resource_group" not in plan, plan
