"""A short text can ask for a long value often, and again for what that gives: all that is bounded."""

import time
import tracemalloc

import pytest

from mooring.workflows import walk
from tests.workflows.simulation import Simulation, workflow

LONG = "v" * 100_000
DOUBLED_PER_LAYER = (
    "entrypoint: t0\narguments: {parameters: [{name: v}]}\ntemplates:\n"
    + "".join(
        f"""
  - name: t{i}
    inputs: {{parameters: [{{name: v}}]}}
    steps:
      - - name: s
          template: t{i + 1}
          arguments: {{parameters: [{{name: v, value: "{{{{inputs.parameters.v}}}}{{{{inputs.parameters.v}}}}"}}]}}"""
        for i in range(40)
    )
    + """
  - name: t40
    inputs: {parameters: [{name: v}]}
    container: {image: x, command: [x], args: ["{{inputs.parameters.v}}"]}
"""
)
ASKED_FOR_OFTEN = """
entrypoint: main
arguments: {parameters: [{name: v}]}
templates:
  - name: main
    container: {image: x, command: [x], args: [ARGS]}
""".replace("ARGS", ", ".join(['"{{workflow.parameters.v}}"'] * 3_000))
A_LONG_SCRIPT_PER_ITEM = """
entrypoint: main
arguments: {parameters: [{name: v}]}
templates:
  - name: main
    steps: [[{name: s, template: work, withItems: [ITEMS]}]]
  - {name: work, script: {image: x, command: [x], source: "{{workflow.parameters.v}}"}}
""".replace("ITEMS", ", ".join(["1"] * 900))
A_CONDITION_WITH_LONG_VALUES = """
entrypoint: main
arguments: {parameters: [{name: v}]}
templates:
  - name: main
    steps: [[{name: s, template: work, when: "WHEN"}]]
  - {name: work, container: {image: x, command: [x]}}
""".replace("WHEN", " || ".join(["a == '" + "{{workflow.parameters.v}}" * 8 + "'"] * 18))


@pytest.mark.parametrize(
    "spec", [DOUBLED_PER_LAYER, ASKED_FOR_OFTEN, A_LONG_SCRIPT_PER_ITEM, A_CONDITION_WITH_LONG_VALUES]
)
def test_a_workflow_that_grows_costs_little(spec: str) -> None:
    of = workflow(spec, {"v": LONG})
    tracemalloc.start()
    started = time.thread_time()
    progress = walk(of, [], of.created_at)
    assert time.thread_time() - started < 5
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300_000_000
    if spec != A_CONDITION_WITH_LONG_VALUES:
        assert any("comes to more than" in fact.message for fact in progress.nodes)


def test_a_list_of_what_was_made_per_item_is_bounded() -> None:
    spec = """
entrypoint: main
templates:
  - name: main
    steps: [[{name: s, template: work, withItems: [1, 2, 3, 4, 5]}]]
  - {name: work, outputs: {parameters: [{name: p, valueFrom: {path: /p}}]}, container: {image: x, command: [x]}}
"""
    simulation = Simulation(workflow(spec))
    simulation.look()
    for node in simulation.waiting:
        simulation.end(node, p="x" * 250_000)
    progress = simulation.look()
    assert progress.over
    assert "comes to more than 1000000 characters: pass large values in files" in progress.failure
