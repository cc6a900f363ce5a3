"""What belongs to no execution any more is removed, whoever has left it there."""

import subprocess
import sys
from pathlib import Path

import pytest

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


_FETCHES_HALF = """
import sys, threading
from datetime import timedelta
from pathlib import Path

from mooring.artifacts.object_stores.listing import StoredObject, one
from mooring.artifacts.store_transfers import StoreTransfers
from mooring.controllers.job_workspaces import JobWorkspaces


class Half:
    told = "a store that is slow"

    def listing(self, key):
        return one(StoredObject(key, 8, ""))

    def fetch(self, targets):
        for path in targets:
            path.write_bytes(b"half")
        print("half", flush=True)
        threading.Event().wait()


workspaces = JobWorkspaces(Path(sys.argv[1]), timedelta(seconds=60))
with workspaces.held(sys.argv[2]):
    workspaces.empty_folder(sys.argv[2], "inputs")
    transfers = StoreTransfers(lambda *_: Half())
    transfers.fetch("default", None, "rows.csv", workspaces.input(sys.argv[2], 0))
"""


def _transfers_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.startswith(".transfer-")]


def test_what_a_kill_leaves_of_a_transfer_goes_with_the_next_try(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mooring.controllers.execution_records.new_job_id", lambda: "jknown")
    folder = yard.folder / "jobs"
    child = subprocess.Popen([sys.executable, "-c", _FETCHES_HALF, str(folder), "jknown"], stdout=subprocess.PIPE)
    with child:
        assert child.stdout
        assert child.stdout.readline() == b"half\n"
        child.kill()
    assert len(_transfers_below(folder)) == 1
    yard.template(ONE)
    yard.runtime.plays = lambda _spec: Played(None)
    execution_id = yard.run()
    yard.until_status(execution_id, "RUNNING")
    assert _transfers_below(folder) == []
    yard.runtime.end("jknown")
    yard.until_status(execution_id, "COMPLETED")
    assert list(folder.iterdir()) == []


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
