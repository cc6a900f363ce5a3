"""One container: what its template says is what is run."""

import pytest

from mooring.domain.containers import AllOfSecret, PullPolicy, SecretKey, Variable, Volume
from mooring.domain.jobs import InputArtifact, OutputArtifact, OutputParameter
from mooring.templates.errors import TemplateError
from tests.templates.samples import WORKFLOW, only
from tests.workflows.simulation import Simulation, workflow

WHOLE = """
entrypoint: train
imagePullSecrets: [{name: everybody}]
arguments:
  parameters:
    - {name: epochs, default: "3"}
    - {name: where, default: /app/data}
    - {name: plan, default: basic}
    - {name: minutes, default: "60"}
volumes:
  - {name: keys, secret: {secretName: team-keys, items: [{key: a, path: sub/b}]}}
templates:
  - name: train
    metadata: {labels: {ai.sap.com/resourcePlan: "{{workflow.parameters.plan}}"}}
    imagePullSecrets: [{name: own}, {name: everybody}]
    activeDeadlineSeconds: "{{workflow.parameters.minutes}}"
    volumes: [{name: scratch, emptyDir: {}}]
    inputs:
      parameters: [{name: rate, default: "0.{{workflow.parameters.epochs}}"}]
      artifacts:
        - {name: rows, path: "{{workflow.parameters.where}}"}
        - {name: raw, path: /app/raw, archive: {none: {}}, mode: 0644}
        - {name: extra, path: /app/extra, optional: true}
    outputs:
      parameters:
        - {name: loss, valueFrom: {path: /tmp/loss, default: "1"}}
        - {name: must, valueFrom: {path: /tmp/must}}
      artifacts:
        - {name: model, globalName: best, path: /app/model, archive: {none: {}}}
        - {name: report, globalName: report, path: /app/report}
        - {name: plain file, path: /app/x, optional: true}
    container:
      image: example/train:1
      imagePullPolicy: Always
      command: [python, -m, train]
      args: ["--rate={{inputs.parameters.rate}}", "$(EPOCHS)", "$$(EPOCHS)", "{{inputs.artifacts.rows.path}}"]
      workingDir: /app//x/
      env:
        - {name: EPOCHS, value: "{{workflow.parameters.epochs}}"}
        - {name: TWICE, value: "$(EPOCHS)$(EPOCHS) $(LATER)"}
        - {name: LATER, value: "{{workflow.name}} {{retries}} {{pod.name}} {{outputs.artifacts.model.path}}"}
        - {name: PASSWORD, valueFrom: {secretKeyRef: {name: team, key: password}}}
      envFrom: [{secretRef: {name: all, optional: true}, prefix: P_}]
      volumeMounts:
        - {name: keys, mountPath: /etc/keys/}
        - {name: scratch, mountPath: /scratch, subPath: a/b}
"""


def test_a_whole_container() -> None:
    simulation = Simulation(
        workflow(WHOLE, inputs={"rows": "ai://default/rows", "raw": "ai://team/x.tar.gz"}, suffixes={"best": "/b.pt"})
    )
    progress = simulation.look()
    order = simulation.order("train")
    container = order.container
    assert (container.image, container.pull_policy) == ("example/train:1", PullPolicy.ALWAYS)
    assert container.command == ("python", "-m", "train")
    assert container.args == ("--rate=0.3", "3", "$(EPOCHS)", "/app/data")
    assert container.working_dir == "/app/x"
    assert container.variables == (
        Variable("EPOCHS", "3"),
        Variable("TWICE", "33 $(LATER)"),
        Variable("LATER", "e1 0 e1-train /app/model"),
        Variable("PASSWORD", secret=SecretKey("team", "password")),
    )
    assert container.from_secrets == (AllOfSecret("all", "P_", optional=True),)
    assert container.volumes == (
        Volume("/etc/keys", "keys", secret="team-keys", items=(("a", "sub/b"),), read_only=True),
        Volume("/scratch", "scratch", sub_path="a/b"),
    )
    assert container.pull_secrets == ("everybody", "own")
    assert (container.user, container.group, container.resource_plan) == (65534, 65534, "basic")
    assert order.seconds == 60
    assert order.inputs == (
        InputArtifact("rows", "/app/data", "ai://default/rows"),
        InputArtifact("raw", "/app/raw", "ai://team/x.tar.gz", unpack=False, mode=0o644),
    )
    assert order.outputs[:2] == (
        OutputArtifact("model", "/app/model", "ai://default/e1/best/b.pt", pack=False),
        OutputArtifact("report", "/app/report", "ai://default/e1/report"),
    )
    assert order.outputs[2].url.startswith("ai://default/e1/train-")
    assert order.outputs[2].url.endswith(".tgz")
    assert order.outputs[2].optional
    assert order.parameters == (OutputParameter("loss", "/tmp/loss", "1"), OutputParameter("must", "/tmp/must"))
    assert not progress.over

    simulation.end("train")
    progress = simulation.look()
    assert progress.over
    assert progress.failure == ""
    assert progress.outputs == {"best": "ai://default/e1/best/b.pt", "report": "ai://default/e1/report"}


def test_an_artifact_that_is_not_bound_is_named() -> None:
    progress = Simulation(workflow(WHOLE, inputs={"rows": "ai://default/rows"})).look()
    assert progress.over
    assert progress.failure.startswith("train: inputs.artifacts.raw: is not there")


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"where": "/proc/self"}, "inputs.artifacts[0].path: is '/proc/self', which belongs to the system"),
        ({"where": "../etc"}, "inputs.artifacts[0].path: is '../etc'; an absolute path"),
        ({"where": "/app/raw"}, "inputs.artifacts[1].path: is '/app/raw', where another input lies already"),
        ({"plan": "huge"}, "metadata.labels.ai.sap.com/resourcePlan: is 'huge'; use one of starter"),
        ({"minutes": "soon"}, "activeDeadlineSeconds: is 'soon'; a whole number"),
        ({"epochs": "a\0b"}, "container.env[0].value: holds a zero byte"),
    ],
)
def test_a_value_that_makes_no_sense_is_named_before_anything_runs(parameters: dict[str, str], problem: str) -> None:
    progress = Simulation(workflow(WHOLE, parameters, inputs={"rows": "ai://a/b", "raw": "ai://a/c"})).look()
    assert progress.begin == ()
    assert progress.over
    assert problem in progress.failure


def test_a_script_is_handed_on_with_its_values() -> None:
    spec = """
entrypoint: main
arguments: {parameters: [{name: x, default: "$(HOME) {{workflow.name}} '"}]}
templates:
  - name: main
    script:
      image: python
      command: [python]
      source: |
        print("{{workflow.parameters.x}}", "{{ jinja }}", "$(X)")
      env: [{name: X, value: y}]
"""
    simulation = Simulation(workflow(spec))
    simulation.look()
    order = simulation.order("main")
    # A value is not looked at again, and other uses of double braces stay.
    assert order.script == 'print("$(HOME) {{workflow.name}} \'", "{{jinja}}", "$(X)")\n'
    assert order.container.command == ("python",)
    assert not order.wants_result


BAD = """
entrypoint: main
templates:
  - name: main
    LINE
    container:
      image: x
      command: [x]
      FIELD
"""


@pytest.mark.parametrize(
    ("line", "field", "problem"),
    [
        ("", "env: [{value: x}]", r"container.env\[0\].name: is required"),
        ("", "env: [{name: 'a=b'}]", r"env\[0\].name: is 'a=b'"),
        ("", "env: [{name: a, value: b, valueFrom: {secretKeyRef: {name: s, key: k}}}]", "has both value and"),
        ("", "env: [{name: a, valueFrom: {secretKeyRef: {name: s}}}]", "secretKeyRef.key: is required"),
        ("", "envFrom: [{prefix: x}]", r"envFrom\[0\].secretRef.name: is required"),
        ("", "volumeMounts: [{name: v, mountPath: /x}]", "is 'v', which volumes does not declare"),
        ("volumes: [{name: v, emptyDir: {}}]", "volumeMounts: [{name: v, mountPath: /}]", "belongs to the system"),
        ("volumes: [{name: v, emptyDir: {}}]", "volumeMounts: [{name: v, mountPath: /sys/x}]", "belongs to the sys"),
        ("volumes: [{name: v, emptyDir: {}}]", "volumeMounts: [{name: v, mountPath: /a/../..}]", "an absolute path"),
        ("volumes: [{name: v, emptyDir: {}}]", "volumeMounts: [{name: v, mountPath: x}]", "an absolute path"),
        ("volumes: [{name: v, emptyDir: {}}]", "volumeMounts: [{name: v, mountPath: /x, subPath: ../y}]", "a relative"),
        ("volumes: [{name: v, secret: {}}]", "volumeMounts: [{name: v, mountPath: /x}]", "secretName: is required"),
        ("", "imagePullPolicy: Sometimes", "use one of Always, IfNotPresent, Never"),
        ("", "securityContext: {runAsUser: 0}", "containers do not run as root"),
        ("", "securityContext: {runAsUser: root}", "securityContext.runAsUser: is 'root'; a whole number"),
        ("", "workingDir: here", "workingDir: is 'here'"),
        ("metadata: {labels: {ai.sap.com/resourcePlan: serve.s}}", "", "is 'serve.s'; use one of starter"),
        ("activeDeadlineSeconds: 1h", "", "activeDeadlineSeconds: is '1h'"),
        ("retryStrategy: {limit: lots}", "", "retryStrategy.limit: is 'lots'"),
        ("retryStrategy: {limit: 101}", "", "a whole number from 0 to 100"),
        ("retryStrategy: {retryPolicy: Never}", "", "use one of Always, OnFailure"),
        ("retryStrategy: {backoff: {duration: 5 minutes}}", "", "backoff.duration: is '5 minutes'"),
        ("retryStrategy: {backoff: {factor: -1}}", "", "backoff.factor: is '-1'"),
        ("inputs: {artifacts: [{name: a}]}", "", r"inputs.artifacts\[0\].path: is required"),
        ("inputs: {artifacts: [{name: a, path: /dev/x}]}", "", "belongs to the system"),
        ("inputs: {artifacts: [{name: a, path: /a}, {name: a, path: /b}]}", "", "is the second 'a'"),
        ("outputs: {artifacts: [{name: a, path: /a, archive: {zip: {}}}]}", "", "is 'zip'; none and tar are offered"),
        ("outputs: {artifacts: [{name: a, path: /a, globalName: ../b}]}", "", "globalName: is '../b'"),
        ("outputs: {parameters: [{name: a, valueFrom: {parameter: x}}]}", "", "valueFrom.path: is required"),
        ("outputs: {parameters: [{name: a, valueFrom: {expression: x}}]}", "", "is not allowed: use parameter"),
        ("inputs: {parameters: [{name: a}]}", "", "needs a value for the parameter 'a', and spec.arguments has none"),
        ("", 'args: ["{{=1 + 1}}"]', "uses an expression"),
        ("", 'args: ["{{item}}"]', "{{item}}, which has no value there"),
        ("", "env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}, {name: B, value: $(A)}]", "a secret's"),
    ],
)
def test_what_cannot_be_run_is_said_at_the_sync(line: str, field: str, problem: str) -> None:
    with pytest.raises(TemplateError, match=problem):
        workflow(BAD.replace("LINE", line or "inputs: {}").replace("FIELD", field or "args: []"))


def test_a_suffix_leads_nowhere_else() -> None:
    for suffix in ("/../../e2/model", "//x", "/x/", "x y", "/.."):
        with pytest.raises(TemplateError, match=r"result.suffix: is '"):
            only(WORKFLOW.replace("result.suffix: /best", f"result.suffix: '{suffix}'"))
