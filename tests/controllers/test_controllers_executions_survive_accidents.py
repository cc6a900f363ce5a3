"""The control plane is killed at each step of an execution; machines restart, jobs get lost. Nothing runs twice that
has run well, nothing is registered twice, nothing is left."""

from collections import Counter
from contextlib import suppress
from itertools import count

import pytest

from mooring.runtimes.base import ContainerSpec
from mooring.services import execution_changes
from mooring.store.database import Database
from mooring.store.tables import Artifact, Execution
from mooring.system.runtime_place import clear_leases
from tests.controllers.accident import Accident, Killed
from tests.controllers.job_yard import GROUP, Played, Yard

WORKFLOW = """
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
      script: {image: a, command: [make], source: x}
    - name: use
      inputs: {artifacts: [{name: rows, path: /rows}]}
      outputs: {artifacts: [{name: m, path: /m, globalName: model, archive: {none: {}}}]}
      container: {image: a, command: [use]}
"""
MOST_POINTS = 400
PARTS = 4
"""So that several workers share the points."""
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # threads die, too


def play(spec: ContainerSpec) -> Played:
    if spec.command == ("make",):
        return Played(files={"/rows": "rows"})
    (mount,) = spec.mounts
    return Played(files={"/m": f"model of {mount.source.read_text()}"})


def die(yard: Yard, accident: Accident, execution_id: str) -> None:
    """Go on until the accident happens, or everything is over."""
    with suppress(Killed):
        yard.until("the end", lambda: accident.has_happened or yard.look(execution_id).status == "COMPLETED")


def artifacts_of(database: Database, execution_id: str) -> list[str]:
    with database.reading() as session:
        return [row.url for row in session.query(Artifact).filter_by(execution_id=execution_id)]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_it_is_killed_at_each_step(yard: Yard, part: int) -> None:
    if yard.database.kind == "postgresql":
        pytest.skip("what is recorded when does not depend on the kind of store")
    yard.template(WORKFLOW)
    yard.runtime.plays = play
    for fatal in count(1 + part, PARTS):
        yard.runtime.started.clear()
        execution_id = yard.run()
        accident = Accident(fatal)
        die(Yard(yard.database, yard.folder, yard.runtime, yard.transfers, accident=accident), accident, execution_id)
        clear_leases(yard.database)  # as whoever starts next does
        heir = yard.another()
        heir.until_status(execution_id, "COMPLETED")
        heir.upkeep.tidy()
        check(heir, execution_id)
        if not accident.has_happened:
            return
        assert fatal < MOST_POINTS
    raise AssertionError("it never got through")


def check(yard: Yard, execution_id: str) -> None:
    """After its completion, whatever has happened on the way."""
    assert max(Counter(yard.runtime.started).values()) == 1, "what has run well does not run again"
    assert len(yard.runtime.started) == 2
    assert artifacts_of(yard.database, execution_id) == [f"ai://default/{execution_id}/model"]
    stored = yard.transfers.folder / GROUP / execution_id / "model"
    assert stored.read_text() == "model of rows"
    assert yard.runtime.runs == {}
    assert yard.upkeep.workspaces.job_ids() == set()


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_it_is_killed_at_each_step_of_a_stop(yard: Yard, part: int) -> None:
    if yard.database.kind == "postgresql":
        pytest.skip("what is recorded when does not depend on the kind of store")
    yard.template(WORKFLOW)
    yard.runtime.plays = lambda _spec: Played(None)
    for fatal in count(1 + part, PARTS):
        execution_id = yard.run()
        yard.until_status(execution_id, "RUNNING")
        with yard.database.transaction() as session:
            execution_changes.stop(session, GROUP, execution_id)
        accident = Accident(fatal)
        mortal = Yard(yard.database, yard.folder, yard.runtime, yard.transfers, accident=accident)
        with suppress(Killed):
            mortal.until("the end", lambda: ended(yard, accident, execution_id))  # noqa: B023 (called at once)
        clear_leases(yard.database)
        heir = yard.another()
        heir.until("its stop", lambda: ended(yard, Accident(MOST_POINTS), execution_id))  # noqa: B023 (called at once)
        assert heir.look(execution_id).status == "STOPPED"
        assert yard.runtime.runs == {}
        if not accident.has_happened:
            return
        assert fatal < MOST_POINTS


def ended(yard: Yard, accident: Accident, execution_id: str) -> bool:
    yard.runtime.finish_stopping()
    return accident.has_happened or yard.look(execution_id).status == "STOPPED"


def test_a_lost_job_is_begun_again_but_not_for_ever(yard: Yard) -> None:
    yard.template(WORKFLOW)
    yard.runtime.plays = lambda _spec: Played(None)
    execution_id = yard.run()
    for tries in (1, 2, 3):
        yard.until("a start", lambda tries=tries: len(yard.runtime.started) == tries)  # type: ignore[misc]
        yard.runtime.end(yard.runtime.started[-1], None)
    row = yard.until_status(execution_id, "DEAD")
    assert row.status_message == "main[0].a: was lost 3 times: it is gone"
    assert len(set(yard.runtime.started)) == 1, "with one log"


def test_what_the_operator_has_ended_goes_on_later(yard: Yard) -> None:
    yard.template(WORKFLOW)
    yard.runtime.plays = lambda _spec: Played(None)
    execution_id = yard.run()
    for tries in range(1, 6):
        yard.until("a start", lambda tries=tries: len(yard.runtime.started) == tries)  # type: ignore[misc]
        yard.runtime.end(yard.runtime.started[-1], 0, asked=True)  # `mooring down`, to which it has listened well
    yard.runtime.plays = play
    yard.until_status(execution_id, "COMPLETED")


def test_a_lost_job_gets_its_inputs_anew(yard: Yard) -> None:
    yard.template(WORKFLOW)
    contents: list[str] = []

    def spoil(spec: ContainerSpec) -> Played:
        if spec.command == ("make",):
            return Played(files={"/rows": "rows"})
        (mount,) = spec.mounts
        contents.append(mount.source.read_text())
        mount.source.write_text("spoilt")
        return Played(None if len(contents) == 1 else 0, files={"/m": "m"})

    yard.runtime.plays = spoil
    execution_id = yard.run()
    yard.until("the second step", lambda: len(contents) == 1)
    yard.runtime.end(yard.runtime.started[-1], None)
    yard.until_status(execution_id, "COMPLETED")
    assert contents == ["rows", "rows"]


def test_the_next_control_plane_takes_over_what_runs(yard: Yard) -> None:
    yard.template(WORKFLOW)
    yard.runtime.plays = lambda _spec: Played(None)
    execution_id = yard.run()
    yard.until_status(execution_id, "RUNNING")
    heir = yard.another()
    yard.runtime.plays = play
    run = next(iter(yard.runtime.runs))
    yard.runtime.runs[run].files["/rows"] = "rows"
    yard.runtime.end(run)
    heir.until_status(execution_id, "COMPLETED")
    with yard.database.reading() as session:
        assert session.get_one(Execution, execution_id).start_time
