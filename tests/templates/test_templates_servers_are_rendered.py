"""What a ServingTemplate and a configuration's values come to: a server, field by field."""

import re

import pytest

from mooring.domain.containers import PullPolicy, SecretKey, Variable
from mooring.domain.revisions import Check, ContainerServerSpec, from_json, to_json
from mooring.templates.errors import TemplateError
from mooring.templates.serving_rendering import MOST_REPLICAS, render_server
from mooring.templates.trees import from_json as tree_from_json
from mooring.templates.trees import to_json as tree_to_json
from tests.templates.samples import SERVING, only
from tests.templates.test_templates_values_never_become_structure import HOSTILE

VALUES = {
    "inputs.parameters.greeting": "hi",
    "inputs.parameters.replicas": "2",
    "inputs.parameters.loud": "true",
    "inputs.parameters.who-is-it": "you",
    "inputs.artifacts.words": "ai://default/words/",
}


def template(predictor: str = "", container: str = "", *, labels: str = "", spec: str = "") -> str:
    """A template with these further lines in its predictor, its container, its labels, or beside the predictor."""
    lines = "\n".join(f"          {line}" for line in container.splitlines())
    more = "\n".join(f"        {line}" for line in predictor.splitlines())
    beside = "\n".join(f"      {line}" for line in spec.splitlines())
    return f"""
apiVersion: ai.sap.com/v1alpha1
kind: ServingTemplate
metadata:
  name: server
  labels: {{scenarios.ai.sap.com/id: servers, ai.sap.com/version: "1"}}
spec:
  inputs:
    parameters: [{{name: p, default: "1"}}]
    artifacts: [{{name: a}}]
  template:
    metadata: {{labels: {{{labels}}}}}
    spec:
{beside}
      predictor:
{more}
        containers:
        - name: kserve-container
          image: "example/server:1"
{lines}
"""


def rendered(text: str, **values: str) -> ContainerServerSpec:
    """By way of the store, as it goes in truth."""
    given = {f"inputs.parameters.{name}": value for name, value in {"p": "1", **values}.items()}
    body = tree_from_json(tree_to_json(dict(only(text).body)))
    assert isinstance(body, dict)
    spec = render_server(body, {**given, "inputs.artifacts.a": "ai://default/model"})
    back = from_json(to_json(spec))
    assert back == spec
    return spec


def test_a_template_as_teams_write_it() -> None:
    spec = render_server(only(SERVING).body, VALUES)
    assert spec.container.image == "example/greeter:1"
    assert spec.container.command == ("python", "-m", "greeter")
    assert spec.container.resource_plan == "basic"
    assert spec.container.variables == (
        Variable("PORT", "8080"),
        Variable("GREETING", "hi, you"),
        Variable("LOUD", "true"),
        Variable("STORAGE_URI", "/mnt/models"),
    )
    assert (spec.port, spec.readiness) == (8080, Check(8080))
    assert (spec.min_replicas, spec.max_replicas) == (2, 2)
    assert spec.storage_uri == "ai://default/words/"


def test_nothing_but_an_image_is_needed() -> None:
    spec = rendered(template())
    assert spec == ContainerServerSpec(
        container=spec.container, port=8080, readiness=Check(8080), min_replicas=1, max_replicas=2
    )
    assert (spec.container.command, spec.container.args, spec.container.user) == (None, None, None)
    assert spec.container.resource_plan == "starter"


@pytest.mark.parametrize(
    ("lines", "replicas"),
    [
        ("", (1, 2)),
        ("minReplicas: 3", (3, 3)),
        ("minReplicas: 0", (1, 2)),
        ("minReplicas: 0\nmaxReplicas: 1", (1, 1)),
        ("minReplicas: '2'\nmaxReplicas: 5", (2, 5)),
        ("maxReplicas: 0", (1, 2)),
        ("minReplicas: {{inputs.parameters.p}}\nmaxReplicas: {{inputs.parameters.p}}", (4, 4)),
    ],
)
def test_replicas(lines: str, replicas: tuple[int, int]) -> None:
    spec = rendered(template(lines), p="4")
    assert (spec.min_replicas, spec.max_replicas) == replicas


def test_a_port_and_the_environment_that_names_it() -> None:
    spec = rendered(template(container="ports: [{containerPort: 9000, name: http1, protocol: TCP}]"))
    assert (spec.port, spec.readiness) == (9000, Check(9000))
    assert spec.container.variables == (Variable("PORT", "9000"),)
    own = rendered(template(container="env: [{name: PORT, value: '1'}]"))
    assert own.container.variables == (Variable("PORT", "1"),)


@pytest.mark.parametrize(
    ("lines", "check"),
    [
        ("readinessProbe: {httpGet: {path: /ready, port: 9000}}", Check(9000, "/ready")),
        ("readinessProbe: {httpGet: {path: /ready, port: web}}", Check(9000, "/ready")),
        ("readinessProbe: {httpGet: {path: /ready}}", Check(9000, "/ready")),
        ("readinessProbe: {httpGet: {port: 0}}", Check(9000, "/")),
        ("readinessProbe: {tcpSocket: {port: other}}", Check(9001)),
        ("readinessProbe: {exec: {command: [true]}}", Check(9000)),
        ("startupProbe: {httpGet: {path: /up}}", Check(9000, "/up")),
        (
            "readinessProbe: {httpGet: {path: /r}, initialDelaySeconds: 5, timeoutSeconds: 3}",
            Check(9000, "/r", 5.0, 3.0),
        ),
        (
            "readinessProbe: {httpGet: {path: '/{{inputs.parameters.p}}', port: {{inputs.parameters.p}}}}",
            Check(7, "/7"),
        ),
        ("readinessProbe: {httpGet: {path: /r}, periodSeconds: 30}", Check(9000, "/r", period_seconds=30)),
        (
            "readinessProbe: {httpGet: {path: /r}, periodSeconds: 30}\n"
            "livenessProbe: {tcpSocket: {}, periodSeconds: 2}",
            Check(9000, "/r", period_seconds=2),
        ),
    ],
)
def test_how_a_server_is_asked_whether_it_is_ready(lines: str, check: Check) -> None:
    ports = "ports: [{containerPort: 9000, name: web}, {containerPort: 9001, name: other}]\n"
    assert rendered(template(container=ports + lines), p="7").readiness == check


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        ("", None),
        ("livenessProbe: {httpGet: {path: /}}", 30.0),
        ("livenessProbe: {httpGet: {path: /}, periodSeconds: 5, failureThreshold: 4}", 20.0),
    ],
)
def test_when_a_silent_server_is_replaced(lines: str, seconds: float | None) -> None:
    assert rendered(template(container=lines)).restart_after_seconds == seconds


def test_times_users_and_secrets() -> None:
    spec = rendered(
        template(
            "timeout: 120\nterminationGracePeriodSeconds: 7\nimagePullSecrets: [{name: one}]\n"
            "securityContext: {runAsUser: 3000}",
            "imagePullPolicy: Always\nenv: [{name: KEY, valueFrom: {secretKeyRef: {name: s, key: k}}}]\n"
            "securityContext: {runAsGroup: 4}",
            spec="imagePullSecrets: [{name: two}]",
        )
    )
    assert (spec.timeout_seconds, spec.stop_grace_seconds) == (120.0, 7.0)
    assert spec.container.pull_secrets == ("one", "two")
    assert spec.container.pull_policy is PullPolicy.ALWAYS
    assert (spec.container.user, spec.container.group) == (3000, 4)
    assert spec.container.variables[1] == Variable("KEY", secret=SecretKey("s", "k"))


@pytest.mark.parametrize("value", ["ai://default/model", "ai://other/a/b/c.pkl"])
def test_what_is_at_the_storage_uri_is_found_in_a_folder(value: str) -> None:
    spec = rendered(template(container="env: [{name: STORAGE_URI, value: '{{inputs.parameters.p}}'}]"), p=value)
    assert spec.storage_uri == value
    assert spec.container.variables[-1] == Variable("STORAGE_URI", "/mnt/models")


def test_no_storage_uri_is_no_storage() -> None:
    assert rendered(template(container="env: [{name: STORAGE_URI, value: ''}]")).storage_uri is None


_STORED = "env: [{name: STORAGE_URI, value: '{{inputs.artifacts.a}}'}]\n"


@pytest.mark.parametrize(
    ("predictor", "container", "labels", "problem"),
    [
        ("minReplicas: many", "", "", r"predictor\.minReplicas: is 'many'; a whole number from 0 to 100"),
        (f"minReplicas: {MOST_REPLICAS + 1}", "", "", "minReplicas"),
        ("minReplicas: -1", "", "", "minReplicas"),
        ("minReplicas: 3\nmaxReplicas: 2", "", "", "maxReplicas: is 2, and minReplicas is 3"),
        ("timeout: 0", "", "", "timeout"),
        ("timeout: 1.5", "", "", "timeout"),
        ("terminationGracePeriodSeconds: 4000", "", "", "terminationGracePeriodSeconds"),
        ("", "ports: [{containerPort: 0}]", "", r"ports\[0\]\.containerPort"),
        ("", "ports: [{containerPort: 65536}]", "", "from 1 to 65535"),
        ("", "ports: [{name: web}]", "", "containerPort: is required"),
        ("", "ports: [{containerPort: 53, protocol: UDP}]", "", "only TCP"),
        ("", "readinessProbe: {httpGet: {path: ready}}", "", "begins with /"),
        ("", 'readinessProbe: {httpGet: {path: "/a\\r\\nX: y"}}', "", "begins with /"),
        ("", "readinessProbe: {httpGet: {port: nobody}}", "", "which ports does not name"),
        ("", "readinessProbe: {httpGet: {port: 99999}}", "", "from 1 to 65535"),
        ("", "readinessProbe: {httpGet: {scheme: HTTPS}}", "", "only HTTP"),
        ("", "env: [{name: STORAGE_URI, value: s3://bucket/key}]", "", "the url of an artifact"),
        ("", "env: [{name: STORAGE_URI, value: file:///etc}]", "", "the url of an artifact"),
        ("", "env: [{name: STORAGE_URI, value: /etc/passwd}]", "", "the url of an artifact"),
        ("", "env: [{name: STORAGE_URI, valueFrom: {secretKeyRef: {name: s, key: k}}}]", "", "comes from a secret"),
        (
            "volumes: [{name: v, emptyDir: {}}]",
            _STORED + "volumeMounts: [{name: v, mountPath: /mnt/models/x}]",
            "",
            "mounts a volume already",
        ),
        ("", "", "ai.sap.com/resourcePlan: huge", "use one of starter"),
        ("", "args: ['{{workflow.name}}']", "", "which has no value"),
        ("securityContext: {runAsUser: 0}", "", "", "not run as root"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_path(
    predictor: str, container: str, labels: str, problem: str
) -> None:
    with pytest.raises(TemplateError, match=problem):
        rendered(template(predictor, container, labels=labels))


def test_a_value_cannot_be_asked_for_without_end() -> None:
    args = ", ".join(["'{{inputs.parameters.p}}'"] * 300)
    with pytest.raises(TemplateError, match="pass large values in files"):
        rendered(template(container=f"args: [{args}]"), p="x" * 5000)


@pytest.mark.parametrize("value", [value for value in HOSTILE if "\0" not in value])
def test_a_value_stays_a_value(value: str) -> None:
    text = template(container="args: ['{{inputs.parameters.p}}']\nenv: [{name: P, value: '{{inputs.parameters.p}}'}]")
    plain, hostile = rendered(text), rendered(text, p=value)
    assert hostile.container.variables[1].name == "P"
    assert hostile.container.args is not None
    assert len(hostile.container.args) == 1
    unchanged = ("image", "command", "volumes", "user", "pull_secrets", "from_secrets", "resource_plan")
    assert [getattr(hostile.container, name) for name in unchanged] == [
        getattr(plain.container, name) for name in unchanged
    ]
    assert (hostile.port, hostile.readiness, hostile.min_replicas) == (plain.port, plain.readiness, plain.min_replicas)


@pytest.mark.parametrize("value", [value for value in HOSTILE if value not in ("5", "", " ", "null")])
def test_a_hostile_number_is_refused(value: str) -> None:
    with pytest.raises(TemplateError, match="whole number"):
        rendered(template("minReplicas: {{inputs.parameters.p}}"), p=value)


@pytest.mark.parametrize("value", [value for value in HOSTILE if value not in ("null", "true", "5", "a" * 5000)])
def test_a_hostile_image_is_refused(value: str) -> None:
    text = template().replace("example/server:1", "{{inputs.parameters.p}}")
    with pytest.raises(TemplateError, match="image"):
        rendered(text, p=value)


@pytest.mark.parametrize(
    ("predictor", "container", "warning"),
    [
        ("minReplicas: 0", "", "minReplicas is 0, which counts as 1"),
        ("maxReplicas: 5", "", "maxReplicas has no effect yet"),
        ("minReplicas: 2\nmaxReplicas: 2", "", None),
        ("containerConcurrency: 3", "", "containerConcurrency has no effect"),
        ("", "readinessProbe: {exec: {command: [true]}}", r"readinessProbe\.exec has no effect"),
        ("", "livenessProbe: {grpc: {port: 1}}", r"livenessProbe\.grpc has no effect"),
        ("", "readinessProbe: {httpGet: {path: /, httpHeaders: []}}", "httpHeaders has no effect"),
        ("", "livenessProbe: {httpGet: {path: /live}}", "livenessProbe asks nothing of its own"),
        ("", "livenessProbe: {tcpSocket: {port: 8080}}\nreadinessProbe: {tcpSocket: {port: 8080}}", None),
        ("", "readinessProbe: {httpGet: {port: 9999}}", "names another port than the first"),
        ("", "readinessProbe: {httpGet: {port: '{{inputs.parameters.p}}'}}", None),
        ("", "ports: [{containerPort: 9999, name: h2c}]", r"HTTP/2, which has no effect"),
    ],
)
def test_what_has_no_effect_is_said_at_the_sync(predictor: str, container: str, warning: str | None) -> None:
    warnings = only(template(predictor, container)).warnings
    if warning is None:
        assert warnings == ()
    else:
        assert len(warnings) == 1
        assert re.search(warning, warnings[0])
