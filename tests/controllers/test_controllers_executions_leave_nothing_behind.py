"""What belongs to no execution any more is removed, whoever has left it there."""

from mooring.services import resource_groups
from mooring.store.tables import Configuration, Execution
from tests.controllers.job_yard import Played, Yard

ONE = """
spec:
  entrypoint: main
  templates:
    - name: main
      container: {image: a, command: [work]}
"""


def test_folders_of_jobs_that_nobody_knows_go_and_those_of_others_stay(yard: Yard) -> None:
    yard.template(ONE)
    yard.runtime.plays = lambda _spec: Played(None)
    execution_id = yard.run()
    yard.until_status(execution_id, "RUNNING")
    (job,) = yard.jobs(execution_id).values()
    with yard.upkeep.workspaces.held("jgone"):
        (yard.upkeep.workspaces.of("jgone") / "inputs").mkdir(mode=0o500)
    yard.upkeep.tidy()
    assert yard.upkeep.workspaces.job_ids() == {job.id}


def test_logs_go_with_the_resource_group(yard: Yard) -> None:
    yard.template(ONE)
    yard.runtime.plays = lambda _spec: Played(prints=("hello",))
    gone, kept = yard.run(), yard.run()
    for each in (gone, kept):
        yard.until_status(each, "COMPLETED")
    (job,) = yard.jobs(kept).values()
    with yard.database.transaction() as session:
        resource_groups.create(session, "team", [], most=10)
        execution = session.get_one(Execution, gone)
        execution.resource_group = "team"
        session.get_one(Configuration, execution.configuration_id).resource_group = "team"
    with yard.database.transaction() as session:
        resource_groups.remove(session, "team")
    yard.upkeep.tidy()
    assert yard.runtime.logged() == [job.id]
    assert list(yard.jobs(kept)) == ["main"]


def test_what_is_in_the_way_of_a_removal_keeps_nobody_waiting(yard: Yard) -> None:
    yard.template(ONE)
    yard.runtime.plays = lambda _spec: Played(None)
    execution_id = yard.run()
    yard.until_status(execution_id, "RUNNING")
    (job_id,) = yard.runtime.runs
    yard.runtime.stuck.add(job_id)
    yard.runtime.end(job_id)
    yard.until_status(execution_id, "COMPLETED")
    assert yard.runtime.replicas() == [job_id], "upkeep tries again, for no row says that it is still needed"
