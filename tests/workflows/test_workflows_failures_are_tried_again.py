"""`retryStrategy`: what is tried again, how often, and when."""

from datetime import timedelta

import pytest

from mooring.domain.jobs import JobState
from mooring.templates.errors import TemplateError
from mooring.templates.trees import Scalar
from mooring.templates.workflow_retries import read_retry_strategy
from tests.workflows.simulation import START, Simulation, begun, phases, workflow

ONE = """
entrypoint: main
arguments: {parameters: [{name: limit, default: "2"}]}
templates:
  - name: main
    retryStrategy: STRATEGY
    inputs: {parameters: [{name: limit}]}
    container: {image: x, command: [x], args: ["{{retries}}"]}
"""


def _one(strategy: str) -> Simulation:
    return Simulation(workflow(ONE.replace("STRATEGY", strategy)))


def _tries(simulation: Simulation, state: JobState = JobState.FAILED) -> int:
    while not simulation.look().over:
        simulation.end("main", code=1, state=state)
    return len(simulation.orders)


@pytest.mark.parametrize(
    ("strategy", "state", "tries"),
    [
        ("{limit: 2}", JobState.FAILED, 3),
        ("{limit: '2'}", JobState.FAILED, 3),
        ("{limit: '{{inputs.parameters.limit}}'}", JobState.FAILED, 3),
        ("{limit: 0}", JobState.FAILED, 1),
        ("{}", JobState.FAILED, 101),
        ("{limit: 2}", JobState.ERROR, 1),
        ("{limit: 2, retryPolicy: OnFailure}", JobState.ERROR, 1),
        ("{limit: 2, retryPolicy: OnError}", JobState.ERROR, 3),
        ("{limit: 2, retryPolicy: OnError}", JobState.FAILED, 1),
        ("{limit: 2, retryPolicy: OnTransientError}", JobState.ERROR, 3),
        ("{limit: 2, retryPolicy: OnTransientError}", JobState.FAILED, 1),
        ("{limit: 2, retryPolicy: Always}", JobState.FAILED, 3),
        ("{limit: 2, retryPolicy: Always}", JobState.ERROR, 3),
        ("{limit: 2, retryPolicy: Always}", JobState.STOPPED, 1),
    ],
)
def test_as_often_as_is_allowed(strategy: str, state: JobState, tries: int) -> None:
    assert _tries(_one(strategy), state) == tries


def test_a_try_that_succeeds_is_the_last() -> None:
    simulation = _one("{limit: 5}")
    simulation.look()
    simulation.end("main", code=1)
    progress = simulation.look()
    assert [(order.node, order.attempt) for order in progress.begin] == [("main", 1)]
    assert simulation.order("main", 1).container.args == ("1",)
    assert progress.nodes[0].message == "is tried again: ended with exit code 1"
    simulation.end("main")
    progress = simulation.look()
    assert (progress.over, progress.failure) == (True, "")


def test_tries_wait_longer_and_longer() -> None:
    simulation = _one('{limit: 5, backoff: {duration: "10", factor: 2, cap: 35s}}')
    waits = []
    simulation.look()
    for attempt in range(1, 5):
        simulation.end("main", code=1)
        simulation.look()
        begins = simulation.order("main", attempt).not_before
        assert begins is not None
        waits.append((begins - simulation.now).total_seconds())
    assert waits == [10, 20, 35, 35]


def test_tries_do_not_go_on_for_longer_than_is_allowed() -> None:
    simulation = _one("{limit: 90, backoff: {duration: 10s, maxDuration: 1m}}")
    simulation.look()
    while begun(simulation.look()) or simulation.waiting:
        begins = simulation.orders["main", len(simulation.orders) - 1].not_before
        simulation.now = max(simulation.now, begins or simulation.now)
        simulation.end("main", code=1)
    assert simulation.now <= START + timedelta(seconds=61)
    assert len(simulation.orders) == 6


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("5", 5), ("2.5", 2.5), ("90s", 90), ("2m", 120), ("1h30m", 5400), ("500ms", 0.5), ("1d", 86400)],
)
def test_durations(written: str, seconds: float) -> None:
    strategy = read_retry_strategy({"backoff": {"duration": Scalar(written)}}, "r")
    assert strategy is not None
    assert strategy.wait(1) == seconds


@pytest.mark.parametrize("written", ["-5", "5 m", "1y", "1h-", "inf", "nan", "9" * 30])
def test_what_is_no_duration_is_refused(written: str) -> None:
    with pytest.raises(TemplateError, match=r"r.backoff.duration: is '"):
        read_retry_strategy({"backoff": {"duration": Scalar(written)}}, "r")


def test_no_wait_is_endless() -> None:
    strategy = read_retry_strategy({"backoff": {"duration": Scalar("999999999"), "factor": Scalar("1000")}}, "r")
    assert strategy is not None
    assert strategy.wait(100) == timedelta(days=7).total_seconds()


GROUP = """
entrypoint: main
templates:
  - name: main
    retryStrategy: {limit: 1, backoff: {duration: "30"}}
    outputs: {artifacts: [{name: m, globalName: best, from: "{{steps.b.outputs.artifacts.m}}"}]}
    steps: [[{name: a, template: work}], [{name: b, template: work}]]
  - {name: work, outputs: {artifacts: [{name: m, path: /m}]}, container: {image: x, command: [x]}}
"""


def test_a_group_of_steps_is_tried_again_from_its_first() -> None:
    simulation = Simulation(workflow(GROUP))
    assert begun(simulation.look()) == ["main(0)[0].a"]
    simulation.end("main(0)[0].a")
    assert begun(simulation.look()) == ["main(0)[1].b"]
    simulation.end("main(0)[1].b", code=1)
    progress = simulation.look()
    assert begun(progress) == ["main(1)[0].a"]
    assert progress.begin[0].not_before == simulation.now + timedelta(seconds=30)
    simulation.end("main(1)[0].a")
    simulation.look()
    simulation.end("main(1)[1].b")
    progress = simulation.look()
    assert phases(progress)["main"] == "Succeeded"
    assert phases(progress)["main(0)"] == "Failed"
    # Each try stores what it makes in a place of its own.
    assert progress.outputs == {"best": simulation.order("main(1)[1].b").outputs[0].url}
    assert len({order.outputs[0].url for order in simulation.orders.values()}) == 4


def test_a_group_of_steps_fails_in_the_end() -> None:
    simulation = Simulation(workflow(GROUP))
    progress = simulation.run(fail=frozenset({"main(0)[0].a", "main(1)[1].b"}))
    assert progress.failure == "main(1)[1].b: ended with exit code 1"
