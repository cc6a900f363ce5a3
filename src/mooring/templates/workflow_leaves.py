"""What a template that runs a container may say: tried with stand-ins for its placeholders, so that it is found at the
sync and not in a run."""

from collections.abc import Mapping
from itertools import count

from mooring.templates.container_rendering import Pod, render_container, resource_plan
from mooring.templates.container_values import flag, number, shown
from mooring.templates.container_volumes import mount_path
from mooring.templates.errors import TemplateError
from mooring.templates.placeholders import names_in
from mooring.templates.trees import Scalar, Tree, entries, mapping, required_text, sequence, text
from mooring.templates.workflow_retries import read_retry_strategy

_ARCHIVES = frozenset({"none", "tar"})
_PATHS = frozenset({"mountPath", "workingDir", "path"})
_NUMBERS_AND_WORDS = frozenset(
    {"runAsUser", "runAsGroup", "readOnlyRootFilesystem", "optional", "readOnly", "imagePullPolicy", "mode"}
    | {"limit", "retryPolicy", "duration", "factor", "cap", "maxDuration", "activeDeadlineSeconds"}
    | {"ai.sap.com/resourcePlan", "ai.sap.com/instanceType"}
)


def tried(tree: Tree, *, field: str = "", numbers: "count[int] | None" = None) -> Tree:
    """The tree with something in place of its placeholders that is right as far as one can tell beforehand."""
    numbers = numbers or count()
    match tree:
        case dict():
            kept = {
                key: value
                for key, value in tree.items()
                if key not in _NUMBERS_AND_WORDS or not isinstance(value, Scalar) or not any(names_in(value))
            }
            return {key: tried(value, field=key, numbers=numbers) for key, value in kept.items()}
        case list():
            return [tried(item, field=field, numbers=numbers) for item in tree]
        case Scalar():
            if not any(names_in(tree)):
                return tree
            return Scalar(f"/{next(numbers)}" if field in _PATHS else "x")


def check_leaf(template: Mapping[str, Tree], spec: Mapping[str, Tree], path: str) -> None:
    """Raises TemplateError, naming the field."""
    template = mapping(tried(dict(template)), path)
    kind = "script" if "script" in template else "container"
    pod = Pod(
        volumes=[*_volumes(spec, "spec"), *_volumes(template, path)],
        security={
            **mapping(tried(spec.get("securityContext", {})), "spec.securityContext"),
            **mapping(template.get("securityContext"), f"{path}.securityContext"),
        },
    )
    render_container(mapping(template[kind], f"{path}.{kind}"), pod, path=f"{path}.{kind}")
    labels = mapping(mapping(template.get("metadata"), f"{path}.metadata").get("labels"), f"{path}.metadata.labels")
    resource_plan(labels)
    number(template.get("activeDeadlineSeconds"), f"{path}.activeDeadlineSeconds", least=1)
    check_retries(template, path)
    _check_artifacts(template, path)
    for where, item in entries(template, path, "outputs", "parameters"):
        source = mapping(item.get("valueFrom"), f"{where}.valueFrom")
        required = required_text(source.get("path"), f"{where}.valueFrom.path")
        mount_path(required, f"{where}.valueFrom.path")


def check_nested(template: Mapping[str, Tree], path: str) -> None:
    """What a template of steps or tasks may say beside them. Raises TemplateError, naming the field."""
    if "activeDeadlineSeconds" in template:
        raise TemplateError(f"{path}.activeDeadlineSeconds", "is possible for containers and scripts only")
    check_retries(template, path)
    for where, item in entries(template, path, "outputs", "parameters"):
        source = mapping(item.get("valueFrom"), f"{where}.valueFrom")
        required_text(source.get("parameter"), f"{where}.valueFrom.parameter")
    for where, item in entries(template, path, "outputs", "artifacts"):
        required_text(item.get("from"), f"{where}.from")
        _check_flag(item, where)


def check_retries(template: Mapping[str, Tree], path: str) -> None:
    """Raises TemplateError for what is no `retryStrategy`."""
    if "retryStrategy" in template:
        read_retry_strategy(tried(template["retryStrategy"]), f"{path}.retryStrategy")


def _volumes(tree: Mapping[str, Tree], path: str) -> list[Tree]:
    return sequence(tried(tree.get("volumes", [])), f"{path}.volumes")


def _check_artifacts(template: Mapping[str, Tree], path: str) -> None:
    for side in ("inputs", "outputs"):
        for where, item in entries(template, path, side, "artifacts"):
            mount_path(required_text(item.get("path"), f"{where}.path"), f"{where}.path")
            _check_flag(item, where)
            archive = mapping(item.get("archive"), f"{where}.archive")
            unknown = next((name for name in archive if name not in _ARCHIVES), None)
            if unknown is not None:
                raise TemplateError(f"{where}.archive", f"is {shown(unknown)}; none and tar are offered")


def _check_flag(item: Mapping[str, Tree], path: str) -> None:
    if text(item.get("optional"), f"{path}.optional"):
        flag(mapping(tried(dict(item)), path).get("optional"), f"{path}.optional")
