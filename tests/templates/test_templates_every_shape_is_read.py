"""Templates in all the shapes that teams and samples use become executables."""

import pytest

from mooring.templates.errors import TemplateError
from mooring.templates.files import read_templates
from mooring.templates.trees import from_json, to_json, to_values
from tests.templates.samples import SERVING, WORKFLOW, only


def test_a_serving_template_says_what_its_executable_is() -> None:
    found = only(SERVING)
    about = found.metadata
    assert (about.id, about.name, about.scenario_id, about.scenario_name) == (
        "greeter",
        "Greeter",
        "greetings",
        "Greetings",
    )
    assert (about.version_id, about.labels) == ("1.10", (("ext.ai.sap.com/team", "blue"),))
    assert found.deployable
    assert [parameter.to_json() for parameter in found.parameters] == [
        {"name": "greeting", "type": "string", "default": "hi"},
        {"name": "replicas", "type": "string", "default": "2"},
        {"name": "loud", "type": "string", "default": "true"},
        {"name": "who-is-it", "type": "string"},
    ]
    labels = [{"key": "ext.ai.sap.com/size", "value": "small"}]
    assert [item.to_json() for item in found.inputs] == [{"name": "words", "kind": "model", "labels": labels}]
    assert found.warnings == ()


def test_a_workflow_shows_what_is_bound_and_what_is_registered() -> None:
    found = only(WORKFLOW)
    assert not found.deployable
    assert found.metadata.name == "trainer"  # for want of another
    assert [parameter.to_json() for parameter in found.parameters] == [
        {"name": "epochs", "type": "string", "default": "3"}
    ]
    # `clean` goes from one step to another, so nobody binds it.
    assert [item.to_json() for item in found.inputs] == [{"name": "rows", "kind": "dataset"}]
    (output,) = found.outputs
    assert (output.name, output.kind, output.suffix) == ("result", "resultset", "/best")


@pytest.mark.parametrize(
    "spec",
    [
        "{default: {predictor: {custom: {container: {image: old}}}}}",
        "{predictor: {containers: [{name: kfserving-container, image: old}]}}",
        "{imagePullSecrets: [{name: s}], predictor: {containers: [{image: old}]}}",
        "|\n      predictor:\n        containers:\n        - image: old\n",
    ],
)
@pytest.mark.parametrize("metadata", ["{}", "{labels: {a: b}}", "{annotations: 'a: b'}"])
@pytest.mark.parametrize("inputs", ["", "inputs:", "inputs: {parameters: [], artifacts: []}"])
def test_old_and_new_shapes_of_a_server_are_the_same_server(spec: str, metadata: str, inputs: str) -> None:
    text = (
        SERVING[: SERVING.index("  inputs:")] + f"  {inputs}\n  template:\n    metadata: {metadata}\n    spec: {spec}\n"
    )
    body = to_values(dict(only(text).body))
    assert body["spec"]["predictor"]["containers"][0]["image"] == "old"


def test_a_file_may_hold_many_documents_and_other_kinds() -> None:
    text = f"---\n{SERVING}\n---\n---\nkind: Service\n---\n{WORKFLOW}\n---\njust text\n"
    kinds = [found.kind for _, found in read_templates(text.encode()) if not isinstance(found, TemplateError)]
    assert kinds == ["ServingTemplate", "WorkflowTemplate"]


def test_a_broken_document_does_not_hide_its_neighbours() -> None:
    broken = SERVING.replace("    ai.sap.com/version: 1.10\n", "")
    (_, first), (_, second) = read_templates(f"{broken}\n---\n{WORKFLOW}".encode())
    assert isinstance(first, TemplateError)
    assert str(first) == "metadata.labels.ai.sap.com/version: is required"
    assert not isinstance(second, TemplateError)


def test_what_is_kept_in_the_store_is_what_was_read() -> None:
    for sample in (SERVING, WORKFLOW):
        body = dict(only(sample).body)
        assert from_json(to_json(body)) == body


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("name: greeter", "name: gr", "metadata.name: is 'gr'"),
        ("name: greeter", "name: '../etc'", "metadata.name"),
        ('scenarios.ai.sap.com/id: "greetings"', "other: x", "scenarios.ai.sap.com/id: is required"),
        ("type: string", "type: number", r"spec.inputs.parameters\[0\].type: is 'number'"),
        ("name: replicas", "name: greeting", "declares 'greeting' a second time"),
        ('image: "example/greeter:1"', "image: ''", r"containers\[0\].image: is required"),
        ("inputs.parameters.loud", "inputs.parameters.lout", "{{inputs.parameters.lout}}, which spec.inputs does not"),
        ('words.kind: "model"', 'words.kind: "modell"', "use one of model, dataset"),
        ('\'{"ext.ai.sap.com/size": "small"}\'', "'{'", "has to be a JSON object"),
        ("      - name: words", "      - 5", "has to be a mapping, this is a single value"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(old: str, new: str, problem: str) -> None:
    assert old in SERVING
    with pytest.raises(TemplateError, match=problem):
        only(SERVING.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("template: prepare}", "template: prepar}", "'prepar', which is no template"),
        ("entrypoint: main", "entrypoint: mein", "spec.entrypoint: names 'mein'"),
        ("template: prepare}", "template: main}", "calls itself by way of main → main"),
        ("command: [python], args: [prepare.py]", "args: [x]", "container.command: is required"),
        ("steps.prepare.outputs", "steps.prepair.outputs", "steps.prepair.outputs.artifacts.clean}}, which has no"),
        ("workflow.parameters.epochs}} !=", "workflow.parameters.epoch}} !=", "epoch}}, which has no value"),
        ("inputs.parameters.rate", "inputs.parameters.rat", "rat}}, which has no value"),
        ("withItems: [0.1, 0.2]", "withParam: '[]'", r"steps\[1\]\[0\].withParam: is not allowed: use withItems"),
        ("retryStrategy:", "sidecars:", "sidecars: is not allowed"),
        ("      script:", "      resource: {action: get}\n      script:", "resource: is not allowed"),
    ],
)
def test_what_a_workflow_cannot_do_is_said_at_the_sync(old: str, new: str, problem: str) -> None:
    assert old in WORKFLOW
    with pytest.raises(TemplateError, match=problem):
        only(WORKFLOW.replace(old, new))


DAG = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: graph, labels: {scenarios.ai.sap.com/id: greetings, ai.sap.com/version: "1"}}
spec:
  entrypoint: main
  templates:
    - name: main
      dag:
        tasks:
          - {name: a, template: work}
          - {name: b, template: work, dependencies: [a]}
          - {name: c, template: work, depends: "a && b.Succeeded"}
    - {name: work, container: {image: x, command: ["true"]}}
"""


def test_a_graph_is_read() -> None:
    assert only(DAG).metadata.id == "graph"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("{name: a, template: work}", "{name: a, template: work, dependencies: [c]}", "wait for each other: a, b, c"),
        ("dependencies: [a]", "dependencies: [z]", "'b' wait for 'z'"),
        ("a && b.Succeeded", "a || b", "can only join tasks with &&"),
        ("name: b,", "name: a,", "is the second 'a'"),
    ],
)
def test_a_graph_that_cannot_run_is_refused(old: str, new: str, problem: str) -> None:
    with pytest.raises(TemplateError, match=problem):
        only(DAG.replace(old, new))


def test_calling_many_templates_many_times_is_quick() -> None:
    layers = "".join(
        f"    - name: t{i}\n      steps: [[{{name: x, template: t{i + 1}}}, {{name: y, template: t{i + 1}}}]]\n"
        for i in range(45)
    )
    last = "    - {name: t45, container: {image: x, command: [x]}}\n"
    head = DAG[: DAG.index("    - name: main")].replace("entrypoint: main", "entrypoint: t0")
    assert only(head + layers + last).inputs == ()
