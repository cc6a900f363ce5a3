"""Stops, deletions and deadlines of executions, on a real store."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mooring.artifacts.errors import SourceAway
from mooring.controllers.leases import LeaseLost
from mooring.domain.lifecycle import Status
from mooring.runtimes.base import ContainerSpec, LogLine
from mooring.services import execution_changes, executions, resource_groups
from mooring.store.tables import Artifact, Execution
from mooring.store.types import utc_now
from tests.controllers.job_yard import GROUP, Played, Yard

ONE = """
spec:
  entrypoint: main
  {more}
  templates:
    - name: main
      {inner}
      container: {{image: a, command: [work]}}
"""
HANDS_OVER = """
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - {name: a, template: make}
        - - name: b
            template: use
            arguments: {artifacts: [{name: rows, from: "{{steps.a.outputs.artifacts.rows}}"}]}
    - name: make
      outputs: {artifacts: [{name: rows, path: /rows, archive: {none: {}}}]}
      container: {image: a, command: [make]}
    - name: use
      inputs: {artifacts: [{name: rows, path: /rows}]}
      outputs: {artifacts: [{name: m, path: /m, globalName: model, archive: {none: {}}}]}
      container: {image: a, command: [use]}
"""


@pytest.fixture
def running(yard: Yard) -> str:
    yard.template(ONE.format(more="", inner=""))
    yard.runtime.plays = lambda _spec: Played(None)
    execution_id = yard.run()
    yard.until_status(execution_id, "RUNNING")
    return execution_id


def stop(yard: Yard, execution_id: str) -> None:
    with yard.database.transaction() as session:
        execution_changes.stop(session, GROUP, execution_id)


def delete(yard: Yard, execution_id: str) -> None:
    with yard.database.transaction() as session:
        execution_changes.delete(session, GROUP, execution_id)


def is_gone(yard: Yard, execution_id: str) -> bool:
    with yard.database.reading() as session:
        return executions.find_many(session, GROUP, [execution_id]) == {}


def test_one_that_runs_ends_gracefully(yard: Yard, running: str) -> None:
    stop(yard, running)
    yard.turn()
    yard.turn()
    assert yard.look(running).status == "RUNNING", "until its program has ended"
    yard.runtime.finish_stopping()
    row = yard.until_status(running, "STOPPED")
    assert (row.target_status, row.status_message) == ("STOPPED", "")
    assert row.completion_time == row.modified_at
    assert {job.state for job in yard.jobs(running).values()} == {"stopped"}
    assert (yard.runtime.runs, yard.controller.all_ids()) == ({}, [])


def test_one_that_waits_never_starts(yard: Yard, running: str) -> None:
    waiting = yard.run()
    another = yard.run()
    yard.until("waits", lambda: "waits" in yard.status(another)[1])
    stop(yard, another)
    yard.until_status(another, "STOPPED")
    assert len(yard.runtime.started) == len({running, waiting})


def test_a_deletion_leaves_only_what_was_registered(yard: Yard) -> None:
    yard.template(HANDS_OVER)
    yard.runtime.plays = lambda _spec: Played(files={"/rows": "1", "/m": "2"}, prints=("hello",))
    execution_id = yard.run()
    yard.until_status(execution_id, "COMPLETED")
    folder = yard.transfers.folder / GROUP / execution_id
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 2
    delete(yard, execution_id)
    yard.until("removed", lambda: is_gone(yard, execution_id))
    assert [path for path in folder.rglob("*") if path.is_file()] == [folder / "model"]
    with yard.database.reading() as session:
        (artifact,) = session.query(Artifact).filter_by(execution_id=execution_id)
    assert (artifact.name, yard.runtime.lines) == ("model", {})


def test_a_store_that_is_away_does_not_keep_an_execution_for_ever(yard: Yard) -> None:
    impatient = Yard(yard.database, yard.folder, yard.runtime, yard.transfers, patience=timedelta(0))
    impatient.template(HANDS_OVER)
    yard.runtime.plays = lambda _spec: Played(files={"/rows": "1", "/m": "2"})
    execution_id = impatient.run()
    impatient.until_status(execution_id, "COMPLETED")
    yard.transfers.trouble = [SourceAway("the store is away") for _ in range(9)]
    delete(impatient, execution_id)
    impatient.until("removed", lambda: is_gone(yard, execution_id))


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.COMPLETED, Status.DEAD, Status.STOPPED])
def test_a_deletion_without_a_run_leaves_what_was_made(yard: Yard, status: Status) -> None:
    yard.template(ONE.format(more="", inner=""))
    execution_id = yard.run()
    facts = {"resource_group": GROUP, "scenario_id": "greetings", "execution_id": execution_id}
    with yard.database.transaction() as session:
        session.get_one(Execution, execution_id).status = status.value
        session.add(Artifact(id="made", name="model", kind="model", url="ai://default/x", **facts))
        execution_changes.delete(session, GROUP, execution_id)
    yard.turn()
    assert is_gone(yard, execution_id)
    with yard.database.reading() as session:
        assert session.get_one(Artifact, "made").execution_id == execution_id


def test_a_deadline_of_the_workflow_ends_all_of_it(yard: Yard) -> None:
    yard.template(ONE.format(more="activeDeadlineSeconds: 60", inner=""))
    yard.runtime.plays = lambda _spec: Played(None)
    execution_id = yard.run()
    yard.until_status(execution_id, "RUNNING")
    with yard.database.transaction() as session:
        session.get_one(Execution, execution_id).start_time = utc_now() - timedelta(seconds=61)
    yard.until("asked", lambda: not yard.runtime.runs, meanwhile=yard.runtime.finish_stopping)
    row = yard.until_status(execution_id, "DEAD")
    assert row.status_message == "took longer than 60 s"


def test_an_operators_limit_ends_what_has_none_of_its_own(yard: Yard) -> None:
    limited = replace(yard, execution_seconds=60)
    limited.template(ONE.format(more="", inner=""))
    limited.template(ONE.format(more="activeDeadlineSeconds: 3600", inner=""), "patient")
    yard.runtime.plays = lambda _spec: Played(None)
    ids = [limited.run(), limited.run(name="patient")]
    for each in ids:
        limited.until_status(each, "RUNNING")
    with yard.database.transaction() as session:
        for each in ids:
            session.get_one(Execution, each).start_time = utc_now() - timedelta(seconds=61)
    limited.until("one ended", lambda: len(yard.runtime.runs) == 1, meanwhile=yard.runtime.finish_stopping)
    row = limited.until_status(ids[0], "DEAD")
    assert row.status_message.startswith("took longer than 60 s (setting execution_seconds;")
    assert limited.look(ids[1]).status == "RUNNING"


def test_a_deadline_of_a_step_fails_the_step(yard: Yard) -> None:
    yard.template(ONE.format(more="", inner="activeDeadlineSeconds: 60"))
    yard.runtime.plays = lambda _spec: Played(None)
    execution_id = yard.run()
    yard.until_status(execution_id, "RUNNING")
    (job,) = yard.jobs(execution_id).values()
    with yard.database.transaction() as session:
        session.get_one(type(job), job.id).started_at = utc_now() - timedelta(seconds=61)
    yard.until("asked", lambda: not yard.runtime.runs, meanwhile=yard.runtime.finish_stopping)
    row = yard.until_status(execution_id, "DEAD")
    assert row.status_message == "main: took longer than 60 s"


def test_what_its_owner_asks_for_meanwhile_wins(yard: Yard, running: str) -> None:
    lease = yard.leases.take(running, 1)
    assert lease
    stop(yard, running)
    with pytest.raises(LeaseLost), yard.leases.recording(lease):
        pass
    assert yard.controller.step(running) is False, "the lease is somebody else's"
    yard.leases.give_back(lease)
    yard.until("asked", lambda: not yard.runtime.runs, meanwhile=yard.runtime.finish_stopping)
    yard.until_status(running, "STOPPED")
    assert yard.controller.step("gone") is True, "one that is gone needs nothing"


def test_a_dead_controllers_lease_runs_out(yard: Yard) -> None:
    yard.template(ONE.format(more="", inner=""))
    execution_id = yard.run()
    assert yard.leases.take(execution_id, 1)
    assert yard.controller.step(execution_id) is False
    with yard.database.transaction() as session:
        session.get_one(Execution, execution_id).lease_expires_at = utc_now() - timedelta(seconds=1)
    yard.until_status(execution_id, "COMPLETED")


def test_one_that_was_made_before_executions_could_run_says_so(yard: Yard) -> None:
    yard.template(ONE.format(more="", inner=""))
    execution_id = yard.run()
    with yard.database.transaction() as session:
        session.get_one(Execution, execution_id).workflow = {}
    assert "there is nothing to run" in yard.until_status(execution_id, "DEAD").status_message


def test_a_group_goes_only_when_nothing_runs_in_it(yard: Yard, running: str) -> None:
    with yard.database.transaction() as session:
        resource_groups.create(session, "team", [], most=10)
        session.get_one(Execution, running).resource_group = "team"
    with yard.database.transaction() as session, pytest.raises(Exception, match="executions that have not ended"):
        resource_groups.remove(session, "team")


def test_logs_can_be_read_while_it_runs(yard: Yard) -> None:
    yard.template(ONE.format(more="", inner=""))

    def play(spec: ContainerSpec) -> Played:
        del spec
        return Played(None, prints=("under way",))

    yard.runtime.plays = play
    execution_id = yard.run()
    yard.until_status(execution_id, "RUNNING")
    (job,) = yard.jobs(execution_id).values()
    found: list[LogLine] = yard.runtime.lines[job.id]
    assert [line.message for line in found] == ["under way"]
