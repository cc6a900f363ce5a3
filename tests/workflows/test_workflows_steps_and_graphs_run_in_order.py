"""Groups of steps, graphs of tasks, and templates within templates."""

import pytest

from mooring.domain.jobs import JobState
from mooring.templates.errors import TemplateError
from tests.workflows.simulation import Simulation, begun, phases, workflow

WORK = "- {name: work, container: {image: x, command: [x]}}"
STEPS = f"""
entrypoint: main
templates:
  - name: main
    steps:
      - [{{name: a, template: work}}, {{name: b, template: work}}]
      - - {{name: c, template: work}}
  {WORK}
"""
GRAPH = f"""
entrypoint: main
templates:
  - name: main
    dag:
      FAILFAST
      tasks:
        - {{name: d, template: work, depends: "b && c"}}
        - {{name: a, template: work}}
        - {{name: b, template: work, dependencies: [a]}}
        - {{name: c, template: work}}
        - {{name: e, template: work, dependencies: [c]}}
  {WORK}
"""
GRAPH_SLOWLY = GRAPH.replace("FAILFAST", "failFast: false")
GRAPH = GRAPH.replace("FAILFAST", "failFast: true")


def test_a_group_begins_when_the_one_before_has_ended() -> None:
    simulation = Simulation(workflow(STEPS))
    assert begun(simulation.look()) == ["main[0].a", "main[0].b"]
    simulation.end("main[0].a")
    progress = simulation.look()
    assert progress.begin == ()
    assert phases(progress) == {"main": "Running", "main[0].a": "Succeeded", "main[0].b": "Pending"}
    simulation.end("main[0].b")
    assert begun(simulation.look()) == ["main[1].c"]
    simulation.end("main[1].c")
    progress = simulation.look()
    assert progress.over
    assert set(phases(progress).values()) == {"Succeeded"}


def test_a_failure_lets_its_siblings_end_and_begins_nothing_more() -> None:
    simulation = Simulation(workflow(STEPS))
    simulation.look()
    simulation.end("main[0].b", code=3)
    progress = simulation.look()
    assert (progress.begin, progress.stop, progress.over) == ((), (), False)
    simulation.end("main[0].a")
    progress = simulation.look()
    assert progress.over
    assert progress.failure == "main[0].b: ended with exit code 3"
    assert phases(progress) == {"main": "Failed", "main[0].a": "Succeeded", "main[0].b": "Failed"}


@pytest.mark.parametrize(
    ("allowed", "state", "goes_on"),
    [
        ("failed", JobState.FAILED, True),
        ("failed", JobState.ERROR, False),
        ("error", JobState.ERROR, True),
        ("error", JobState.FAILED, False),
    ],
)
def test_what_may_fail_does_not_end_the_workflow(allowed: str, state: JobState, goes_on: bool) -> None:
    tolerant = "{name: b, template: work, continueOn: {" + allowed + ": true}}"
    simulation = Simulation(workflow(STEPS.replace("{name: b, template: work}", tolerant)))
    simulation.look()
    simulation.end("main[0].a")
    simulation.end("main[0].b", state=state)
    assert begun(simulation.look()) == (["main[1].c"] if goes_on else [])
    progress = simulation.run()
    assert (progress.failure == "") == goes_on


def test_a_task_begins_when_those_that_it_waits_for_have_ended() -> None:
    simulation = Simulation(workflow(GRAPH))
    assert begun(simulation.look()) == ["main.a", "main.c"]
    simulation.end("main.a")
    assert begun(simulation.look()) == ["main.b"]
    simulation.end("main.c")
    assert begun(simulation.look()) == ["main.e"]
    simulation.end("main.b")
    assert begun(simulation.look()) == ["main.d"]
    assert simulation.run().failure == ""


def test_after_a_failure_a_graph_lets_run_what_runs_and_begins_nothing() -> None:
    simulation = Simulation(workflow(GRAPH))
    simulation.look()
    simulation.end("main.a", code=1)
    progress = simulation.look()
    assert (progress.begin, progress.over) == ((), False)
    simulation.end("main.c")
    progress = simulation.look()
    assert progress.over
    assert progress.failure == "main.a: ended with exit code 1"
    assert phases(progress) == {
        "main": "Failed",
        "main.a": "Failed",
        "main.b": "Omitted",
        "main.c": "Succeeded",
        "main.d": "Omitted",
        "main.e": "Omitted",
    }


def test_a_graph_that_does_not_fail_fast_runs_what_it_can() -> None:
    simulation = Simulation(workflow(GRAPH_SLOWLY))
    simulation.look()
    simulation.end("main.a", code=1)
    simulation.end("main.c")
    assert begun(simulation.look()) == ["main.e"]
    progress = simulation.run()
    assert progress.failure == "main.a: ended with exit code 1"
    assert phases(progress)["main.e"] == "Succeeded"


@pytest.mark.parametrize(
    ("waits", "phase"),
    [("dependencies: [a]", "Pending"), ("depends: a", "Pending"), ("depends: a.Succeeded", "Omitted")],
)
def test_a_skipped_task_is_no_hindrance_unless_it_has_to_succeed(waits: str, phase: str) -> None:
    spec = f"""
entrypoint: main
templates:
  - name: main
    dag:
      tasks:
        - {{name: a, template: work, when: "1 == 2"}}
        - {{name: b, template: work, {waits}}}
  {WORK}
"""
    progress = Simulation(workflow(spec)).look()
    assert phases(progress)["main.a"] == "Skipped"
    assert phases(progress)["main.b"] == phase


NESTED = f"""
entrypoint: main
templates:
  - name: main
    dag:
      tasks:
        - {{name: x, template: group}}
        - {{name: y, template: group}}
        - {{name: z, template: work}}
  - name: group
    steps: [[{{name: p, template: work}}], [{{name: q, template: work}}]]
  {WORK}
"""


def test_templates_within_templates_go_on_after_a_failure_beside_them() -> None:
    simulation = Simulation(workflow(NESTED))
    assert begun(simulation.look()) == ["main.x[0].p", "main.y[0].p", "main.z"]
    simulation.end("main.z", code=1)
    simulation.end("main.x[0].p")
    assert begun(simulation.look()) == ["main.x[1].q"]  # it had begun before
    progress = simulation.run()
    assert progress.failure == "main.z: ended with exit code 1"
    assert phases(progress)["main.x"] == "Succeeded"


def test_a_workflow_may_be_nested_deep_and_no_deeper() -> None:
    def layers(count: int) -> str:
        steps = "".join(f"  - {{name: t{i}, steps: [[{{name: s, template: t{i + 1}}}]]}}\n" for i in range(count))
        return f"entrypoint: t0\ntemplates:\n{steps}  - {{name: t{count}, container: {{image: x, command: [x]}}}}\n"

    assert Simulation(workflow(layers(49))).run().failure == ""
    with pytest.raises(TemplateError, match="is called by way of more than 50 others"):
        workflow(layers(60))


def test_a_workflow_without_end_is_refused_in_words() -> None:
    layers = "".join(
        f"  - {{name: t{i}, steps: [[{{name: s, template: t{i + 1}}}, {{name: t, template: t{i + 1}}}]]}}\n"
        for i in range(40)
    )
    spec = f"entrypoint: t0\ntemplates:\n{layers}  - {{name: t40, container: {{image: x, command: [x]}}}}\n"
    progress = Simulation(workflow(spec)).look()
    assert progress.over
    assert "more than 1000 steps and tasks" in progress.failure
    assert progress.begin == ()


def test_what_runs_of_a_workflow_that_grows_too_large_is_stopped() -> None:
    items = ", ".join(str(i) for i in range(1000))
    spec = f"""
entrypoint: main
templates:
  - name: main
    steps:
      - [{{name: a, template: work}}]
      - [{{name: b, template: work, withItems: [{items}]}}]
  {WORK}
"""
    simulation = Simulation(workflow(spec))
    simulation.look()
    simulation.end("main[0].a")
    progress = simulation.look()
    assert progress.over
    assert "split it into several" in progress.failure


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("name: b,", "name: a,", "is the second 'a'"),
        ("name: b,", "name: a b,", "is 'a b'; up to 128 letters"),
        ("template: work}", "template: work, when: a = b}", r"steps\[0\]\[0\].when: cannot be read at '= b'"),
        ("template: work}", "template: work, when: a =~ b}", r"steps\[0\]\[0\].when: cannot be read at '=~ b'"),
        ("template: work}", "template: work, when: (a == b}", "when: is '\\(a == b', which cannot be read"),
        ("template: work}", "template: work, when: a b}", "when: is 'a b', which"),
        ("template: work}", "template: work, withItems: x}", "withItems: has to be a list"),
        ("template: work}", "template: work, when: '{{item}} == 1'}", "uses {{item}} without withItems"),
        ("template: work}", "template: work, withItems: [{a: 1}], when: '{{item.b}} == 1'}", "has no 'b'"),
        ("template: work}", "template: work, withItems: [1], when: '{{item.b}} == 1'}", "has no 'b'"),
        ("template: work}", "template: work, continueOn: {failed: maybe}}", "continueOn.failed: is 'maybe'"),
        ("template: work}", "template: work, arguments: {artifacts: [{name: x}]}}", "from: is required"),
        ("template: work}", "template: work, arguments: {artifacts: [{name: x, from: y}]}}", "from: is 'y'"),
        ("template: work}", "template: work, when: '{{steps.c.status}} == x'}", "steps.c.status}}, which has no value"),
        ("template: work}", "template: work, when: '{{steps.b.status}} == x'}", "steps.b.status}}, which has no value"),
        ("name: main", "name: main\n    activeDeadlineSeconds: 5", "is possible for containers and scripts only"),
        ("name: main", "name: main\n    retryStrategy: {limit: x}", "retryStrategy.limit: is 'x'"),
        ("name: main", "name: main\n    outputs: {artifacts: [{name: x}]}", "from: is required"),
        (
            "name: main",
            "name: main\n    outputs: {artifacts: [{name: x, from: '{{steps.a.outputs.artifacts.y}}'}]}",
            "'work' gives no such thing",
        ),
        ("name: main", "name: 'main.x'", "is 'main.x'; up to 128 letters"),
        ("entrypoint: main", "entrypoint: main\nactiveDeadlineSeconds: soon", "activeDeadlineSeconds: is 'soon'"),
    ],
)
def test_what_cannot_be_run_is_said_at_the_sync(old: str, new: str, problem: str) -> None:
    with pytest.raises(TemplateError, match=problem):
        workflow(STEPS.replace(old, new, 1))


def test_a_graph_refers_only_to_what_it_waits_for() -> None:
    with pytest.raises(TemplateError, match=r"tasks.e.status}}, which has no value there"):
        workflow(GRAPH.replace("{name: d,", '{name: d, when: "{{tasks.e.status}} == Succeeded",'))
    assert workflow(GRAPH.replace("{name: d,", '{name: d, when: "{{tasks.a.status}} == Succeeded",'))
