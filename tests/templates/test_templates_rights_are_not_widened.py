"""No field of a template gives a container rights; what is not known has no effect, and says so."""

import pytest

from mooring.templates.errors import TemplateError
from mooring.templates.trees import to_values
from tests.templates.samples import SERVING, WORKFLOW, only

PREDICTOR = "        minReplicas: {{inputs.parameters.replicas}}\n"
CONTAINER = '          image: "example/greeter:1"\n'
STEP = "      retryStrategy: {limit: 2}\n"


@pytest.mark.parametrize(
    ("after", "line", "path"),
    [
        (PREDICTOR, "        hostNetwork: true", "predictor.hostNetwork"),
        (PREDICTOR, "        hostPID: true", "predictor.hostPID"),
        (PREDICTOR, "        serviceAccountName: admin", "predictor.serviceAccountName"),
        (PREDICTOR, "        volumes: [{name: v, hostPath: {path: /}}]", r"predictor.volumes\[0\].hostPath"),
        (PREDICTOR, "        volumes: [{name: v, configMap: {name: x}}]", r"volumes\[0\].configMap"),
        (PREDICTOR, "        initContainers: [{image: x}]", "predictor.initContainers"),
        (PREDICTOR, '        hostIPC: "{{inputs.parameters.loud}}"', "predictor.hostIPC"),
        (CONTAINER, "          securityContext: {privileged: true}", r"containers\[0\].securityContext.privileged"),
        (CONTAINER, "          securityContext: {privileged: 'false'}", r"securityContext.privileged"),
        (CONTAINER, "          securityContext: {allowPrivilegeEscalation: true}", "allowPrivilegeEscalation"),
        (CONTAINER, "          volumeDevices: [{name: x}]", "volumeDevices"),
    ],
)
def test_rights_are_refused_with_the_path(after: str, line: str, path: str) -> None:
    assert after in SERVING
    with pytest.raises(TemplateError, match=rf"{path}: is not allowed: "):
        only(SERVING.replace(after, f"{after}{line}\n"))


@pytest.mark.parametrize(
    "field", ["hostNetwork", "hostPID", "serviceAccountName", "podSpecPatch", "automountServiceAccountToken"]
)
def test_rights_are_refused_in_workflows_and_their_steps(field: str) -> None:
    with pytest.raises(TemplateError, match=rf"spec.templates\[2\].{field}: is not allowed"):
        only(WORKFLOW.replace(STEP, f"{STEP}      {field}: x\n"))
    with pytest.raises(TemplateError, match=rf"spec.{field}: is not allowed"):
        only(WORKFLOW.replace("  entrypoint: main\n", f"  entrypoint: main\n  {field}: x\n"))


@pytest.mark.parametrize("line", ["hostNetwork: false", "volumes: []", "serviceAccountName:"])
def test_to_decline_a_right_is_no_error(line: str) -> None:
    assert only(SERVING.replace(PREDICTOR, f"{PREDICTOR}        {line}\n")).deployable


def test_what_is_not_known_has_no_effect_and_says_so() -> None:
    found = only(SERVING.replace(CONTAINER, f"{CONTAINER}          brandNew: 1\n          lifecycle: {{}}\n"))
    (container,) = to_values(dict(found.body))["spec"]["predictor"]["containers"]
    assert "brandNew" not in container
    assert found.warnings == (
        "spec.template.spec.predictor.containers[0].brandNew is not known here and has no effect",
        "spec.template.spec.predictor.containers[0].lifecycle has no effect: "
        "there are no hooks at the start and the end of a container",
    )
