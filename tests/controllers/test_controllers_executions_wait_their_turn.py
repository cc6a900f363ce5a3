"""Jobs get as many places as the machine has: resource groups take turns, the oldest execution of each first."""

import pytest
from sqlalchemy import event

from mooring.artifacts.errors import SourceAway
from mooring.controllers.job_queue import JobQueue
from mooring.runtimes.base import ContainerSpec, ImageRequest
from mooring.store.tables import Execution, Job, ResourceGroup
from tests.controllers.job_yard import MACHINE, Played, Yard
from tests.query_plans import plan_of, reads_all

ONE = """
spec:
  entrypoint: main
  templates:
    - name: main
      metadata: {{labels: {{ai.sap.com/resourcePlan: {plan}}}}}
      container: {{image: {image}, command: [work]}}
"""
MANY = """
spec:
  entrypoint: main
  templates:
    - name: main
      steps: [[{name: a, template: work}, {name: b, template: work}, {name: c, template: work}]]
    - name: work
      container: {image: a, command: [work]}
"""


def go_on(spec: ContainerSpec) -> Played:
    del spec
    return Played(None)


def started(yard: Yard, ids: list[str]) -> list[str]:
    """Those of the executions whose jobs have started, in that order."""
    owners = {job.id: each for each in ids for job in yard.jobs(each).values()}
    return [owners[job_id] for job_id in yard.runtime.started if job_id in owners]


def moved(yard: Yard, execution_id: str, group: str) -> str:
    """The execution, as one of another resource group."""
    with yard.database.transaction() as session:
        if session.get(ResourceGroup, group) is None:
            session.add(ResourceGroup(id=group))
            session.flush()
        session.get_one(Execution, execution_id).resource_group = group
    return execution_id


def status_of(yard: Yard, execution_id: str) -> str:
    """In whatever group it is."""
    with yard.database.reading() as session:
        return session.get_one(Execution, execution_id).status


def settle(yard: Yard, ids: list[str], running: int) -> None:
    """Until so many run, and all others wait."""
    yard.until(f"{running} running", lambda: len(yard.runtime.runs) == running)
    waiting = [each for each in ids if yard.look(each).status == "PENDING"]
    yard.until("all told", lambda: all("waits for its turn" in yard.status(each)[1] for each in waiting))


def test_as_many_run_as_there_are_processors_and_the_first_come_first(yard: Yard) -> None:
    yard.runtime.plays = go_on
    yard.template(ONE.format(plan="starter", image="a"))
    ids = [yard.run() for _ in range(4)]
    settle(yard, ids, 2)
    assert sorted(started(yard, ids)) == sorted(ids[:2])
    yard.runtime.end(yard.runtime.started[0])
    yard.until("the third", lambda: len(yard.runtime.started) == 3)
    assert started(yard, ids)[2] == ids[2]
    assert yard.look(ids[3]).status == "PENDING"


def test_one_that_is_larger_than_the_machine_runs_alone(yard: Yard) -> None:
    yard.runtime.plays = go_on
    yard.template(ONE.format(plan="starter", image="a"), "small")
    yard.template(ONE.format(plan="basic.8x", image="a"), "large")
    ids = [yard.run(name="small"), yard.run(name="large"), yard.run(name="small")]
    settle(yard, ids, 1)
    assert started(yard, ids) == ids[:1], "nobody overtakes the large one"
    for number in (0, 1):
        yard.runtime.end(yard.runtime.started[number])
        yard.until("the next", lambda number=number: len(yard.runtime.started) == number + 2)  # type: ignore[misc]
    assert started(yard, ids) == ids


def test_resource_groups_take_turns(yard: Yard) -> None:
    yard.runtime.plays = go_on
    yard.template(ONE.format(plan="starter", image="a"))
    first = [yard.run() for _ in range(5)]
    settle(yard, first, 2)
    second = [moved(yard, yard.run(), "second") for _ in range(2)]
    ids = first + second
    for number in range(5):
        yard.runtime.end(yard.runtime.started[number])
        yard.until("the next", lambda number=number: len(yard.runtime.started) == number + 3)  # type: ignore[misc]
    assert started(yard, ids)[2:] == [second[0], first[2], second[1], first[3], first[4]]


def test_a_group_with_very_many_jobs_hides_nobody(yard: Yard) -> None:
    yard.template(ONE.format(plan="starter", image="a"))
    first, late = yard.run(), moved(yard, yard.run(), "second")
    order = {"container": {"resource_plan": "starter"}}
    owners = {**{f"j{number}": first for number in range(300)}, "late": late}
    with yard.database.transaction() as session:
        session.add_all(
            Job(id=name, execution_id=owner, node=name, attempt=0, order=order, state="waiting")
            for name, owner in owners.items()
        )
        session.flush()
        queue = JobQueue(MACHINE, None, is_prepared=lambda _id: True, is_troubled=lambda _id: False)
        turns = queue.look(session)
    assert len(turns.near) == 6
    assert len(turns.free) == MACHINE.cpus
    assert "late" in turns.free


def test_an_operator_can_say_how_many(yard: Yard) -> None:
    narrow = Yard(yard.database, yard.folder, yard.runtime, yard.transfers, at_once=1)
    yard.runtime.plays = go_on
    narrow.template(ONE.format(plan="starter", image="a"))
    ids = [narrow.run() for _ in range(3)]
    settle(narrow, ids, 1)
    assert "1 jobs run at once (setting jobs_at_once)" in narrow.status(ids[2])[1]


def test_what_is_in_trouble_keeps_nobody_waiting(yard: Yard) -> None:
    def prepare(request: ImageRequest) -> str:
        if request.image == "away":
            raise SourceAway("the registry is away")
        return request.image

    yard.runtime.prepares, yard.runtime.plays = prepare, go_on
    yard.template(ONE.format(plan="starter", image="away"), "stuck")
    yard.template(ONE.format(plan="starter", image="a"), "fine")
    stuck = [yard.run(name="stuck") for _ in range(8)]
    fine = yard.run(name="fine")
    yard.until_status(fine, "RUNNING")
    assert {yard.status(each)[0] for each in stuck} == {"PENDING"}


def test_parallel_steps_share_the_machine(yard: Yard) -> None:
    yard.runtime.plays = go_on
    yard.template(MANY)
    execution_id = yard.run()
    yard.until("two", lambda: len(yard.runtime.runs) == 2)
    yard.turn()
    assert len(yard.runtime.started) == 2
    for _ in range(3):
        running = [run_id for run_id, run in yard.runtime.runs.items() if run.observation.exit_code is None]
        yard.runtime.end(running[0])
        yard.until("the end of it", lambda gone=running[0]: gone not in yard.runtime.runs)  # type: ignore[misc]
    yard.until_status(execution_id, "COMPLETED")


def test_two_control_planes_never_run_more(yard: Yard) -> None:
    yard.runtime.plays = go_on
    yard.template(ONE.format(plan="starter", image="a"))
    other = yard.another()
    ids = [yard.run() for _ in range(5)]
    for each in ids[3:]:
        moved(yard, each, "second")
    yard.until("two", lambda: len(yard.runtime.runs) == 2, meanwhile=other.turn)
    for _ in range(5):
        yard.turn()
        other.turn()
    assert len(yard.runtime.started) == 2
    for ended in range(5):
        yard.until("a start", lambda ended=ended: len(yard.runtime.started) > ended, meanwhile=other.turn)  # type: ignore[misc]
        yard.runtime.end(yard.runtime.started[ended])
        yard.turn()
        other.turn()
        assert len([run for run in yard.runtime.runs.values() if run.observation.exit_code is None]) <= 2
    for each in ids:
        other.until("all completed", lambda each=each: status_of(other, each) == "COMPLETED")  # type: ignore[misc]
    assert len(set(yard.runtime.started)) == len(yard.runtime.started) == 5


def test_those_that_only_wait_are_not_looked_at(yard: Yard) -> None:
    yard.runtime.plays = go_on
    yard.template(ONE.format(plan="starter", image="a"))
    ids = [yard.run() for _ in range(30)]
    settle(yard, ids, 2)
    yard.until("all at rest", lambda: len(yard.controller.all_ids()) == 2)


@pytest.mark.parametrize("status", ["COMPLETED", "DEAD", "STOPPED"])
def test_one_that_is_over_costs_no_query_of_its_own(yard: Yard, status: str) -> None:
    yard.template(ONE.format(plan="starter", image="a"))
    execution_id = yard.run()
    with yard.database.transaction() as session:
        session.get_one(type(yard.look(execution_id)), execution_id).status = status
    statements: list[str] = []
    event.listen(yard.database.engine, "before_cursor_execute", lambda _c, _r, sql, *_: statements.append(sql))
    assert yard.controller.all_ids() == []
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 3


def test_executions_that_have_ended_are_not_read(yard: Yard) -> None:
    plan = plan_of(yard.database, lambda _session: yard.controller.all_ids(), detours=("seqscan",))
    assert not reads_all(plan, "executions"), plan
    assert not reads_all(plan, "jobs"), plan
    assert "resource_group" not in plan, plan
