"""Parameters, artifacts, results and items: from step to step, and up through templates."""

import json

import pytest

from mooring.domain.jobs import InputArtifact
from mooring.templates.errors import TemplateError
from tests.workflows.simulation import Simulation, begun, phases, workflow

MAKE = """
  - name: make
    inputs: {parameters: [{name: n, default: "0"}]}
    outputs:
      parameters: [{name: p, valueFrom: {path: /p}}]
      artifacts: [{name: a, path: /a}, {name: raw, path: /raw, archive: {none: {}}}]
    script: {image: x, command: [sh], source: "echo {{inputs.parameters.n}}"}
  - name: use
    inputs:
      parameters: [{name: v}]
      artifacts: [{name: a, path: /in, OPTIONAL}]
    container: {image: x, command: [x], args: ["{{inputs.parameters.v}}"]}
"""
PAIR = (
    """
entrypoint: main
templates:
  - name: main
    steps:
      - - {name: make, template: make, WHEN}
      - - name: use
          template: use
          arguments:
            parameters: [{name: v, value: "VALUE"}]
            artifacts: [{name: a, from: "{{steps.make.outputs.artifacts.FROM}}"}]
"""
    + MAKE
)


def _pair(value: str = "x", source: str = "a", when: str = "continueOn: {}", optional: str = "optional: false") -> str:
    parts = {"VALUE": value, "FROM": source, "WHEN": when, "OPTIONAL": optional}
    spec = PAIR
    for old, new in parts.items():
        spec = spec.replace(old, new)
    return spec


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("{{steps.make.outputs.parameters.p}}!", "{{workflow.name}}\n'x'!"),
        ("{{steps.make.outputs.result}}", "last words"),
        ("{{steps.make.exitCode}} {{steps.make.status}} {{steps.make.id}}", "0 Succeeded j0"),
        ("{{workflow.name}} {{workflow.creationTimestamp}}", "e1 2026-01-01T00:00:00Z"),
    ],
)
def test_a_step_uses_what_the_one_before_has_given(value: str, seen: str) -> None:
    simulation = Simulation(workflow(_pair(value)))
    simulation.look()
    assert simulation.order("main[0].make").wants_result == ("result" in value)
    simulation.end("main[0].make", p="{{workflow.name}}\n'x'", result="last words")
    simulation.look()
    assert simulation.order("main[1].use").container.args == (seen,)


def test_a_packed_artifact_is_unpacked_again_and_another_is_not() -> None:
    for source, unpack in (("a", True), ("raw", False)):
        simulation = Simulation(workflow(_pair(source=source)))
        simulation.look()
        made = next(each for each in simulation.order("main[0].make").outputs if each.name == source)
        assert made.pack == unpack
        assert made.url.endswith(".tgz") == unpack
        simulation.end("main[0].make", p="1")
        simulation.look()
        assert simulation.order("main[1].use").inputs == (InputArtifact("a", "/in", made.url, unpack=unpack),)


def test_what_a_step_does_not_give_fails_the_one_that_needs_it() -> None:
    simulation = Simulation(workflow(_pair("{{steps.make.outputs.parameters.p}}")))
    simulation.look()
    simulation.end("main[0].make")
    progress = simulation.look()
    assert progress.over
    assert progress.failure == "main[1].use: {{steps.make.outputs.parameters.p}} has no value: 'make' has not given it"
    assert phases(progress)["main[1].use"] == "Error"


def test_a_skipped_step_has_no_artifact_to_give() -> None:
    progress = Simulation(workflow(_pair(when='when: "a == b"'))).look()
    assert progress.failure.startswith("main[1].use: inputs.artifacts.a: is not there")
    assert phases(progress) == {"main": "Error", "main[0].make": "Skipped", "main[1].use": "Error"}
    simulation = Simulation(workflow(_pair(when='when: "a == b"', optional="optional: true")))
    assert begun(simulation.look()) == ["main[1].use"]
    assert simulation.order("main[1].use").inputs == ()


def test_a_skipped_step_gives_the_defaults_of_its_outputs() -> None:
    spec = _pair("{{steps.make.outputs.parameters.p}}", when='when: "a == b"', optional="optional: true")
    spec = spec.replace("{path: /p}", "{path: /p, default: none}")
    simulation = Simulation(workflow(spec))
    simulation.look()
    assert simulation.order("main[1].use").container.args == ("none",)


def test_an_artifact_of_a_step_is_never_replaced_by_one_of_the_configuration() -> None:
    spec = _pair(when='when: "a == b"')
    progress = Simulation(workflow(spec, inputs={"a": "ai://default/other"})).look()
    assert "inputs.artifacts.a: is not there" in progress.failure


ITEMS = (
    """
entrypoint: main
templates:
  - name: main
    outputs: {parameters: [{name: all, valueFrom: {parameter: "{{steps.many.outputs.parameters.p}}"}}]}
    steps:
      - - name: many
          template: make
          arguments: {parameters: [{name: n, value: "ITEM"}]}
          withItems: ITEMS
          WHEN
      - - name: use
          template: use
          arguments:
            parameters: [{name: v, value: "{{steps.many.outputs.parameters.p}} {{steps.many.outputs.result}}"}]
"""
    + MAKE
)


def _items(items: str, item: str = "{{item}}", when: str = "continueOn: {}") -> str:
    spec = ITEMS.replace("withItems: ITEMS", f"withItems: {items}").replace("ITEM", item).replace("WHEN", when)
    return spec.replace("OPTIONAL", "optional: true")


@pytest.mark.parametrize(
    ("items", "item", "nodes", "sources"),
    [
        ("[0.10, b, true]", "{{item}}", ["0:0.10", "1:b", "2:true"], ["echo 0.10", "echo b", "echo true"]),
        ("[{x: 1, y: [a]}]", "{{item.x}} {{item.y}}", ['0:{"x":1,"y":["a"]}'], ['echo 1 ["a"]']),
        ("[{x y: 1}]", "{{item['x y']}}", ['0:{"x y":1}'], ["echo 1"]),
        ("[[1, 2]]", "{{item}}", ["0:[1,2]"], ["echo [1,2]"]),
        ("['{{workflow.name}}']", "{{item}}", ["0:e1"], ["echo e1"]),
    ],
)
def test_a_step_runs_once_per_item(items: str, item: str, nodes: list[str], sources: list[str]) -> None:
    simulation = Simulation(workflow(_items(items, item)))
    assert begun(simulation.look()) == [f"main[0].many({node})" for node in nodes]
    assert [simulation.order(f"main[0].many({node})").script for node in nodes] == sources


def test_what_is_made_per_item_comes_together_as_a_list() -> None:
    simulation = Simulation(workflow(_items("[1, 2, 3]", when='when: "{{item}} != 2"')))
    simulation.look()
    simulation.end("main[0].many(2:3)", p='tex"t', result='{"a": 1}')
    simulation.end("main[0].many(0:1)", p="1", result="NaN")
    progress = simulation.look()
    assert phases(progress)["main[0].many(1:2)"] == "Skipped"
    assert simulation.order("main[1].use").container.args == ('[1,"tex\\"t"] ["NaN",{"a":1}]',)


def test_no_items_are_no_step() -> None:
    progress = Simulation(workflow(_items("[]"))).look()
    assert phases(progress)["main[0].many"] == "Skipped"
    assert progress.failure.startswith("main[1].use: {{steps.many.outputs.parameters.p}} has no value: 'many' was skip")


UP = (
    """
entrypoint: main
templates:
  - name: main
    outputs: {artifacts: [{name: final, globalName: best, from: "{{tasks.inner.outputs.artifacts.up}}"}]}
    dag: {tasks: [{name: inner, template: inner}]}
  - name: inner
    outputs:
      parameters: [{name: q, valueFrom: {parameter: "<{{steps.one.outputs.parameters.p}}>"}}]
      artifacts: [{name: up, from: "{{steps.one.outputs.artifacts.a}}"}]
    steps: [[{name: one, template: make}], [{name: two, template: make}]]
"""
    + MAKE
).replace("OPTIONAL", "optional: true")


def test_an_artifact_goes_up_to_where_it_is_registered() -> None:
    simulation = Simulation(workflow(UP, suffixes={"best": ".tgz"}))
    simulation.look()
    url = {each.name: each.url for each in simulation.order("main.inner[0].one").outputs}
    assert url["a"] == "ai://default/e1/best.tgz"
    assert url["raw"].startswith("ai://default/e1/main-inner-0-one-")
    simulation.end("main.inner[0].one", p="1")
    simulation.look()
    others = {each.url for each in simulation.order("main.inner[1].two").outputs}
    assert not others & set(url.values())
    simulation.end("main.inner[1].two", p="2")
    progress = simulation.look()
    assert progress.outputs == {"best": "ai://default/e1/best.tgz"}


def test_what_can_be_made_twice_is_never_stored_in_one_place() -> None:
    spec = """
entrypoint: main
templates:
  - name: main
    steps: [[{name: train, template: train, withItems: [1, 2]}]]
  - name: train
    outputs: {artifacts: [{name: m, globalName: best, path: /m}]}
    container: {image: x, command: [x]}
"""
    simulation = Simulation(workflow(spec))
    simulation.look()
    urls = [simulation.order(f"main[0].train({i}:{i + 1})").outputs[0].url for i in (0, 1)]
    assert len(set(urls)) == 2
    # As in Argo, the last one is registered.
    assert simulation.run().outputs == {"best": urls[1]}


def test_an_output_that_was_not_made_is_not_registered() -> None:
    spec = UP.replace("{name: one, template: make}", '{name: one, template: make, when: "1 > 2"}')
    progress = Simulation(workflow(spec)).run()
    assert "{{steps.one.outputs.parameters.p}} has no value: 'one' was skipped" in progress.failure
    assert progress.outputs == {}


def test_an_input_may_be_handed_down() -> None:
    spec = """
entrypoint: main
arguments: {parameters: [{name: v, default: "7"}]}
templates:
  - name: main
    inputs: {parameters: [{name: v}], artifacts: [{name: rows}]}
    steps:
      - - name: use
          template: use
          arguments:
            parameters: [{name: v, value: "{{inputs.parameters.v}}"}]
            artifacts: [{name: a, from: "{{inputs.artifacts.rows}}"}]
""" + MAKE.replace("OPTIONAL", "optional: false")
    simulation = Simulation(workflow(spec, inputs={"rows": "ai://default/rows"}))
    simulation.look()
    order = simulation.order("main[0].use")
    assert order.inputs == (InputArtifact("a", "/in", "ai://default/rows"),)
    assert order.container.args == ("7",)


@pytest.mark.parametrize("value", ["a || true", "' == '", "1) || (1 == 1", "&& true", "{{workflow.name}}", "!", ""])
def test_a_value_never_becomes_an_operator_of_a_condition(value: str) -> None:
    spec = """
entrypoint: main
arguments: {parameters: [{name: v}, {name: same}]}
templates:
  - name: main
    steps:
      - - {name: a, template: work, when: "{{workflow.parameters.v}} == no"}
        - {name: b, template: work, when: "'{{workflow.parameters.v}}' == \\"{{workflow.parameters.same}}\\""}
        - {name: c, template: work, when: "!({{workflow.parameters.v}} != {{workflow.parameters.same}})"}
  - {name: work, container: {image: x, command: [x]}}
"""
    progress = Simulation(workflow(spec, {"v": value, "same": value})).look()
    assert begun(progress) == ["main[0].b", "main[0].c"]


@pytest.mark.parametrize(
    ("condition", "runs"),
    [
        ("true", True),
        ("False", False),
        ("!false", True),
        ("10 > 9", True),
        ("10 > 9.5 && 1e1 == 10", True),
        ("'10' > '9'", False),  # both are texts
        ("a < b", True),
        ("a == a || b == c && false", True),
        ("(a == a || b == c) && false", False),
        ("!(a == a)", False),
        ("!!(a == a)", True),
        ("1 <= 1 && 2 >= 3", False),
        ("'a b' != \"a b\"", False),
        ("'' == \"\"", True),
        ("{{workflow.name}}x == e1x", True),
        ("2026-01-01 < 2026-01-02", True),
    ],
)
def test_conditions(condition: str, runs: bool) -> None:
    spec = """
entrypoint: main
templates:
  - name: main
    steps: [[{name: a, template: work, when: WHEN}]]
  - {name: work, container: {image: x, command: [x]}}
""".replace("WHEN", json.dumps(condition))
    assert bool(begun(Simulation(workflow(spec)).look())) == runs


def test_a_condition_that_is_neither_true_nor_false_is_an_error() -> None:
    spec = """
entrypoint: main
templates:
  - name: main
    steps: [[{name: a, template: work, when: "{{workflow.name}}"}]]
  - {name: work, container: {image: x, command: [x]}}
"""
    progress = Simulation(workflow(spec)).look()
    assert "comes to 'e1', which is neither true nor false" in progress.failure


@pytest.mark.parametrize("condition", ["(" * 30 + "a == a" + ")" * 30, "a == a && " * 1000 + "a == a"])
def test_a_condition_of_any_size_is_refused(condition: str) -> None:
    spec = """
entrypoint: main
templates:
  - name: main
    steps: [[{name: a, template: work, when: WHEN}]]
  - {name: work, container: {image: x, command: [x]}}
""".replace("WHEN", json.dumps(condition))
    with pytest.raises(TemplateError, match=r"nested more than 20|longer than 4096"):
        workflow(spec)


def test_an_item_cannot_forge_the_name_of_a_node() -> None:
    spec = """
entrypoint: main
arguments: {parameters: [{name: v}]}
templates:
  - name: main
    steps: [[{name: a, template: work, withItems: ["{{workflow.parameters.v}}", "x).b["]}]]
  - {name: work, container: {image: x, command: [x]}}
"""
    progress = Simulation(workflow(spec, {"v": "a\nb\x00\u202e" + "c" * 100})).look()
    assert begun(progress) == [f"main[0].a(0:a?b??{'c' * 35}…)", "main[0].a(1:x).b[)"]


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("inner.outputs.result", "'inner' gives no such thing"),
        ("inner.exitCode", "'inner' gives no such thing"),
        ("many.exitCode", "with its items it has several"),
        ("many.outputs.parameters.x", "'work' gives no such thing"),
    ],
)
def test_what_no_step_can_give_is_said_at_the_sync(reference: str, problem: str) -> None:
    spec = """
entrypoint: main
templates:
  - name: main
    steps:
      - [{name: inner, template: inner}, {name: many, template: work, withItems: [1]}]
      - [{name: last, template: work, when: "{{steps.REFERENCE}} == 1"}]
  - {name: inner, steps: [[{name: a, template: work}]]}
  - {name: work, container: {image: x, command: [x]}}
"""
    with pytest.raises(TemplateError, match=problem):
        workflow(spec.replace("REFERENCE", reference))


def test_an_input_that_not_every_step_is_handed_is_bound_by_the_configuration() -> None:
    spec = """
entrypoint: main
templates:
  - name: main
    steps:
      - [{name: first, template: pass}]
      - - name: second
          template: pass
          arguments: {artifacts: [{name: i, from: "{{steps.first.outputs.artifacts.o}}"}]}
  - name: pass
    inputs: {artifacts: [{name: i, path: /i}]}
    outputs: {artifacts: [{name: o, path: /o}]}
    container: {image: x, command: [x]}
"""
    simulation = Simulation(workflow(spec, inputs={"i": "ai://default/i"}))
    assert simulation.run().failure == ""
    assert simulation.order("main[0].first").inputs[0].url == "ai://default/i"
    assert simulation.order("main[1].second").inputs[0].url == simulation.order("main[0].first").outputs[0].url
