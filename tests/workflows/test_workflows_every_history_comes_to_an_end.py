"""Whatever happens to the jobs, in whatever order: no job begins twice, and there is an end."""

import random
from dataclasses import replace

import pytest

from mooring.domain.jobs import ENDED, JobState, Progress
from mooring.workflows import walk
from tests.workflows.simulation import Simulation, phases, workflow

LEAF = """
  - name: leaf
    inputs: {parameters: [{name: n, default: "0"}], artifacts: [{name: i, path: /i, optional: true}]}
    outputs:
      parameters: [{name: p, valueFrom: {path: /p}}]
      artifacts: [{name: o, path: /o, optional: true}]
    RETRY
    script: {image: x, command: [sh], source: "{{inputs.parameters.n}}"}
"""


def _random_workflow(choose: random.Random) -> str:
    """Three layers of steps and graphs over one leaf."""
    templates = "".join(_nested(choose, i) for i in range(3))
    retry = choose.choice(
        ["", "retryStrategy: {limit: 2, retryPolicy: Always}", "retryStrategy: {limit: 1, backoff: {duration: 5}}"]
    )
    return f"entrypoint: t0\ntemplates:\n{templates}{LEAF.replace('RETRY', retry or 'volumes: []')}"


def _nested(choose: random.Random, layer: int) -> str:
    retry = "retryStrategy: {limit: 1, retryPolicy: Always}" if choose.random() < 0.3 else "volumes: []"
    head = f"  - name: t{layer}\n    {retry}\n"
    if choose.random() < 0.5:
        fast = choose.choice(["true", "false"])
        return f"{head}    dag:\n      failFast: {fast}\n      tasks:\n" + "".join(
            f"        - {_call(choose, f'c{i}', layer, waits=[f'c{j}' for j in range(i) if choose.random() < 0.5])}\n"
            for i in range(choose.randint(1, 4))
        )
    groups = [
        ", ".join(_call(choose, f"c{i}{j}", layer) for j in range(choose.randint(1, 3)))
        for i in range(choose.randint(1, 3))
    ]
    return f"{head}    steps:\n" + "".join(f"      - [{group}]\n" for group in groups)


def _call(choose: random.Random, name: str, layer: int, waits: list[str] | None = None) -> str:
    template = f"t{layer + 1}" if layer < 2 and choose.random() < 0.4 else "leaf"
    fields = [f"name: {name}", f"template: {template}"]
    if choose.random() < 0.2:
        fields.append("when: '{{workflow.name}} == e1 && " + choose.choice(["1 < 2'", "1 > 2'"]))
    if template == "leaf" and choose.random() < 0.3:
        fields.append("withItems: [a, {x: 1}]")
        fields.append("arguments: {parameters: [{name: n, value: '{{item}}'}]}")
    if choose.random() < 0.3:
        fields.append("continueOn: {failed: true, error: true}")
    if waits:
        condition = " && ".join(name + choose.choice(["", ".Succeeded"]) for name in waits)
        fields.append(choose.choice([f"dependencies: [{', '.join(waits)}]", f"depends: {condition}"]))
    return f"{{{', '.join(fields)}}}"


def _advance(simulation: Simulation, choose: random.Random) -> None:
    """One of the jobs goes on, or comes to an end."""
    i = choose.choice([i for i, job in enumerate(simulation.jobs) if job.state not in ENDED])
    job = simulation.jobs[i]
    if job.state is JobState.WAITING and choose.random() < 0.3:
        simulation.jobs[i] = replace(job, state=JobState.RUNNING, started_at=simulation.now)
        return
    state = choose.choices(
        [JobState.SUCCEEDED, JobState.FAILED, JobState.ERROR], weights=[choose.choice([2, 5, 20]), 1, 1]
    )[0]
    simulation.end(job.node, state=state, code=int(state is JobState.FAILED), p=choose.choice(["1", "x"]))


def _check(progress: Progress, simulation: Simulation) -> None:
    known = {order.node for order in simulation.orders.values()}
    assert len({fact.node for fact in progress.nodes}) == len(progress.nodes), "a node is told twice"
    assert known <= set(phases(progress)), "a job is not told"
    urls = [each.url for order in simulation.orders.values() for each in order.outputs]
    tries = {(order.node, each.url) for order in simulation.orders.values() for each in order.outputs}
    assert len(set(urls)) == len(tries), "two nodes store in one place"
    if progress.over:
        assert not simulation.waiting
        assert bool(progress.failure) == (progress.nodes[0].phase not in ("Succeeded", "Skipped"))
        assert walk(simulation.workflow, simulation.jobs, simulation.now) == progress
    else:
        assert simulation.waiting, "nothing runs, and it is not over"


@pytest.mark.parametrize("seed", range(60))
def test_every_history_comes_to_an_end(seed: int) -> None:
    choose = random.Random(seed)
    simulation = Simulation(workflow(_random_workflow(choose)))
    for _ in range(2000):
        progress = simulation.look()
        _check(progress, simulation)
        if progress.over:
            return
        _advance(simulation, choose)
    pytest.fail("there is no end")


def test_the_order_in_which_jobs_are_told_does_not_matter() -> None:
    choose = random.Random(7)
    simulation = Simulation(workflow(_random_workflow(choose)))
    for _ in range(30):
        if simulation.look().over:
            break
        _advance(simulation, choose)
        shuffled = choose.sample(simulation.jobs, len(simulation.jobs))
        expected = walk(simulation.workflow, simulation.jobs, simulation.now)
        assert walk(simulation.workflow, shuffled, simulation.now) == expected
    assert simulation.jobs
