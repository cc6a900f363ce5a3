"""From a ServingTemplate and the values of a configuration to what replicas run."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from mooring.domain.containers import Container, Variable
from mooring.domain.revisions import ContainerServerSpec
from mooring.templates import serving_probes
from mooring.templates.budgets import Budget
from mooring.templates.container_rendering import Pod, pull_secrets, render_container, resource_plan
from mooring.templates.container_values import number, shown
from mooring.templates.errors import TemplateError
from mooring.templates.placeholders import fill
from mooring.templates.trees import Tree, entries, mapping, sequence

MODEL_FOLDER = "/mnt/models"
"""Where what lies at STORAGE_URI is mounted."""
MOST_REPLICAS = 100
_STORAGE = "STORAGE_URI"
_STORAGE_SCHEME = "ai://"
_PORT = "PORT"
_MOST_CHARACTERS = 1_000_000
_LONGEST_GRACE_SECONDS = 3600
_LONGEST_REQUEST_SECONDS = 3600
_SPEC = "spec.template.spec"
_PREDICTOR = f"{_SPEC}.predictor"
_CONTAINER = f"{_PREDICTOR}.containers[0]"


def render_server(body: Mapping[str, Tree], values: Mapping[str, str]) -> ContainerServerSpec:
    """What a revision runs. `values` by what stands in a placeholder, such as `inputs.parameters.greeting`.

    Raises TemplateError, naming the field, or a placeholder that has no value.
    """
    filled = mapping(fill(dict(body), _resolver(values)), "spec.template")
    spec = mapping(filled.get("spec"), _SPEC)
    predictor = mapping(spec.get("predictor"), _PREDICTOR)
    _, tree = entries(predictor, _PREDICTOR, "containers")[0]
    port, named = serving_probes.ports(tree, _CONTAINER)
    container = render_container(tree, _pod(filled, spec, predictor), path=_CONTAINER)
    container, storage_uri = _with_storage(_with_port(container, port))
    least, most = _replicas(predictor)
    grace = f"{_PREDICTOR}.terminationGracePeriodSeconds"
    return ContainerServerSpec(
        container=container,
        port=port,
        readiness=serving_probes.readiness(tree, port, named, _CONTAINER),
        storage_uri=storage_uri,
        min_replicas=least,
        max_replicas=most,
        stop_grace_seconds=_seconds(predictor, "terminationGracePeriodSeconds", grace, _LONGEST_GRACE_SECONDS),
        restart_after_seconds=serving_probes.restart_after_seconds(tree, _CONTAINER),
        timeout_seconds=_seconds(predictor, "timeout", f"{_PREDICTOR}.timeout", _LONGEST_REQUEST_SECONDS, least=1),
    )


def _resolver(values: Mapping[str, str]) -> Callable[[str], str]:
    """Gives placeholders their values, together up to a bound."""
    budget = Budget(_MOST_CHARACTERS)

    def resolve(name: str) -> str:
        if name not in values:
            raise TemplateError("spec.template", f"uses {{{{{name}}}}}, which has no value")
        try:
            return budget.take(values[name])
        except TemplateError as error:
            raise TemplateError("spec.template", error.problem) from None

    return resolve


def _pod(filled: Mapping[str, Tree], spec: Mapping[str, Tree], predictor: Mapping[str, Tree]) -> Pod:
    metadata = mapping(filled.get("metadata"), "spec.template.metadata")
    return Pod(
        volumes=sequence(predictor.get("volumes"), f"{_PREDICTOR}.volumes"),
        pull_secrets=pull_secrets((predictor, _PREDICTOR), (spec, _SPEC)),
        security=mapping(predictor.get("securityContext"), f"{_PREDICTOR}.securityContext"),
        resource_plan=resource_plan(mapping(metadata.get("labels"), "spec.template.metadata.labels")),
    )


def _with_port(container: Container, port: int) -> Container:
    """Servers for Knative read the port from the environment."""
    if any(variable.name == _PORT for variable in container.variables):
        return container
    return replace(container, variables=(Variable(_PORT, str(port)), *container.variables))


def _with_storage(container: Container) -> tuple[Container, str | None]:
    """What STORAGE_URI names is found at `/mnt/models`, and so the server sees this path in the variable (KServe)."""
    given = next((variable for variable in container.variables if variable.name == _STORAGE), None)
    if given is None or (given.secret is None and not given.value):
        return container, None
    where = f"{_CONTAINER}.env[{_STORAGE}]"
    if given.secret is not None or not given.value.startswith(_STORAGE_SCHEME):
        what = "comes from a secret" if given.secret is not None else f"is {shown(given.value)}"
        raise TemplateError(where, f"{what}; the url of an artifact (ai://<object store>/<path>) is needed")
    if any(f"{volume.path}/".startswith(f"{MODEL_FOLDER}/") for volume in container.volumes):
        raise TemplateError(where, f"is mounted at {MODEL_FOLDER}, where the template mounts a volume already")
    variables = tuple(replace(v, value=MODEL_FOLDER) if v.name == _STORAGE else v for v in container.variables)
    return replace(container, variables=variables), given.value


def _replicas(predictor: Mapping[str, Tree]) -> tuple[int, int]:
    """Least and most, with the platform's defaults; there is no scaling to zero (yet), so the least is 1."""
    wanted = number(predictor.get("minReplicas"), f"{_PREDICTOR}.minReplicas", most=MOST_REPLICAS)
    least = 1 if wanted is None else max(1, wanted)
    most = number(predictor.get("maxReplicas"), f"{_PREDICTOR}.maxReplicas", most=MOST_REPLICAS)
    most = most or max(2, least)
    if most < least:
        raise TemplateError(f"{_PREDICTOR}.maxReplicas", f"is {most}, and minReplicas is {least}: it cannot be less")
    return least, most


def _seconds(predictor: Mapping[str, Tree], name: str, path: str, most: int, *, least: int = 0) -> float | None:
    found = number(predictor.get(name), path, least=least, most=most)
    return None if found is None else float(found)
