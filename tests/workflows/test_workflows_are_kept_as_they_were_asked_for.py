"""What an execution keeps is all that it needs."""

import json

from mooring.templates.trees import to_json
from mooring.templates.workflow_documents import optional_inputs, workflow_document
from mooring.workflows import Workflow
from tests.templates.samples import WORKFLOW, only
from tests.workflows.simulation import START, Simulation, workflow


def test_a_workflow_survives_the_store() -> None:
    body = to_json(dict(only(WORKFLOW).body))
    outputs = [{"globalName": "result", "name": "result", "kind": "resultset", "suffix": "/best", "labels": []}]
    document = workflow_document(body, {"epochs": "3"}, {"rows": "ai://default/rows"}, outputs)
    of = Workflow.from_json("e1", json.loads(json.dumps(document)), created_at=START, group="blue")
    simulation = Simulation(of)
    simulation.look()
    simulation.end("main[0].prepare")
    progress = simulation.run()
    assert progress.failure == ""
    assert list(progress.outputs) == ["result"]
    assert of.values["workflow.namespace"] == "blue"


def test_inputs_that_are_optional_everywhere_need_not_be_bound() -> None:
    spec = """
entrypoint: main
templates:
  - name: main
    steps: [[{name: a, template: a}], [{name: b, template: b}]]
  - name: a
    inputs: {artifacts: [{name: x, path: /x, optional: true}, {name: y, path: /y, optional: true}]}
    container: {image: x, command: [x]}
  - name: b
    inputs: {artifacts: [{name: y, path: /y}]}
    container: {image: x, command: [x]}
"""
    assert optional_inputs(to_json(dict(workflow(spec).body))) == {"x"}


def test_a_deadline_may_come_from_a_parameter() -> None:
    spec = """
entrypoint: main
activeDeadlineSeconds: "{{workflow.parameters.most}}"
arguments: {parameters: [{name: most, default: "90"}]}
templates: [{name: main, container: {image: x, command: [x]}}]
"""
    assert workflow(spec).deadline_seconds == 90
    broken = workflow(spec, {"most": "soon"})
    assert broken.deadline_seconds is None
    progress = Simulation(broken).look()
    assert progress.over
    assert "spec.activeDeadlineSeconds: is 'soon'" in progress.failure
