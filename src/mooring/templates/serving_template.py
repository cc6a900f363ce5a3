"""ServingTemplates: KServe's predictor, in the shapes of the AI API (reference, section 6.2)."""

from collections.abc import Iterator, Mapping

from mooring.templates import serving_probes
from mooring.templates.containers import CONTAINER, POD_PLACEMENT, POD_RIGHTS, VOLUMES
from mooring.templates.errors import TemplateError
from mooring.templates.executable_template import SERVING, ExecutableTemplate
from mooring.templates.fields import Fields, ListOf, select
from mooring.templates.metadata import artifact, read_metadata, read_parameters
from mooring.templates.placeholders import names_in
from mooring.templates.trees import Tree, entries, mapping, required_text, sequence, text
from mooring.templates.yaml_documents import embedded

_PULL_SECRETS = ListOf(Fields({"name": None}))
_PREDICTOR = Fields(
    {
        "containers": ListOf(CONTAINER),
        "volumes": VOLUMES,
        "imagePullSecrets": _PULL_SECRETS,
        "minReplicas": None,
        "maxReplicas": None,
        "containerConcurrency": None,
        "timeout": None,
        "terminationGracePeriodSeconds": None,
        "securityContext": Fields({"runAsUser": None, "runAsGroup": None, "runAsNonRoot": None, "fsGroup": None}),
    },
    refused={
        **POD_RIGHTS,
        "initContainers": "only the server itself runs; models come through STORAGE_URI",
        "model": "KServe's own runtimes are not offered: give a container",
    },
    without_effect=POD_PLACEMENT,
)
_SPEC = Fields(
    {"predictor": _PREDICTOR, "imagePullSecrets": _PULL_SECRETS},
    refused={"transformer": "only a predictor is offered", "explainer": "only a predictor is offered"},
)
BODY = Fields({"metadata": Fields({"labels": None, "annotations": None}), "spec": _SPEC})
_TEMPLATE = "spec.template"


def read_serving_template(document: Mapping[str, Tree]) -> ExecutableTemplate:
    """Check a document of this kind. Raises TemplateError, naming the field's path."""
    metadata = read_metadata(document)
    spec = mapping(document.get("spec"), "spec")
    inputs = mapping(spec.get("inputs"), "spec.inputs")
    parameters = read_parameters(inputs.get("parameters"), "spec.inputs.parameters")
    names = [
        required_text(entry.get("name"), f"{path}.name") for path, entry in entries(spec, "spec", "inputs", "artifacts")
    ]
    _refuse_repeated(names)
    warnings: list[str] = []
    body = mapping(select(_body(spec), BODY, _TEMPLATE, warnings), _TEMPLATE)
    warnings += _has_no_effect(body)
    known = {f"inputs.parameters.{p.name}" for p in parameters} | {f"inputs.artifacts.{name}" for name in names}
    _refuse_unknown_placeholders(body, known)
    return ExecutableTemplate(
        kind=SERVING,
        metadata=metadata,
        parameters=parameters,
        inputs=tuple(artifact(metadata, name) for name in names),
        outputs=(),
        body=body,
        warnings=tuple(warnings),
    )


def _body(spec: Mapping[str, Tree]) -> Tree:
    """`spec.template` with its blocks of text read, and with one container, wherever older templates have it."""
    template = mapping(spec.get("template"), _TEMPLATE)
    metadata = mapping(template.get("metadata"), f"{_TEMPLATE}.metadata")
    described = {
        name: embedded(metadata.get(name), f"{_TEMPLATE}.metadata.{name}") or {} for name in ("labels", "annotations")
    }
    inner = mapping(embedded(template.get("spec"), f"{_TEMPLATE}.spec"), f"{_TEMPLATE}.spec")
    predictor = _predictor(inner)
    others = {name: value for name, value in inner.items() if name not in ("default", "predictor")}
    return {"metadata": described, "spec": {**others, "predictor": predictor}}


def _predictor(spec: Mapping[str, Tree]) -> Tree:
    path = f"{_TEMPLATE}.spec.predictor"
    old = mapping(spec.get("default"), f"{_TEMPLATE}.spec.default")  # KFServing v1alpha2
    predictor = dict(mapping(spec.get("predictor") or old.get("predictor"), path))
    custom = mapping(predictor.pop("custom", None), f"{path}.custom")
    if "container" in custom:
        predictor["containers"] = [custom["container"]]
    containers = sequence(predictor.get("containers"), f"{path}.containers")
    if len(containers) != 1:
        raise TemplateError(f"{path}.containers", f"has to hold one container, this holds {len(containers)}")
    required_text(mapping(containers[0], f"{path}.containers[0]").get("image"), f"{path}.containers[0].image")
    return predictor


def _has_no_effect(body: Mapping[str, Tree]) -> Iterator[str]:
    """Known fields whose values ask for what is not offered."""
    path = f"{_TEMPLATE}.spec.predictor"
    predictor = mapping(mapping(body.get("spec"), f"{_TEMPLATE}.spec").get("predictor"), path)
    if text(predictor.get("minReplicas"), f"{path}.minReplicas") == "0":
        yield f"{path}.minReplicas is 0, which counts as 1: nothing is scaled to zero yet"
    least = text(predictor.get("minReplicas"), f"{path}.minReplicas") or "1"
    if text(predictor.get("maxReplicas"), f"{path}.maxReplicas") not in (None, least):
        yield f"{path}.maxReplicas has no effect yet: minReplicas replicas run"
    if text(predictor.get("containerConcurrency"), f"{path}.containerConcurrency"):
        yield f"{path}.containerConcurrency has no effect: a server gets as many requests as come"
    for where, container in entries(predictor, path, "containers"):
        yield from serving_probes.without_effect(container, where)
        names = [text(port.get("name"), f"{at}.name") or "" for at, port in entries(container, where, "ports")]
        if any(name.startswith(("h2c", "grpc")) for name in names):
            yield f"{where}.ports name HTTP/2, which has no effect: requests come as HTTP/1.1"


def _refuse_repeated(names: list[str]) -> None:
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise TemplateError("spec.inputs.artifacts", f"declares {repeated!r} a second time")


def _refuse_unknown_placeholders(body: Mapping[str, Tree], known: set[str]) -> None:
    for name in names_in(dict(body)):
        if name.startswith("inputs.") and name not in known:
            raise TemplateError(_TEMPLATE, f"uses {{{{{name}}}}}, which spec.inputs does not declare")
