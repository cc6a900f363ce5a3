"""From a template and its inputs to the order for one job."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from mooring.domain.jobs import InputArtifact, JobOrder, OutputArtifact, OutputParameter
from mooring.templates.budgets import Budget
from mooring.templates.container_rendering import Pod, pull_secrets, render_container, resource_plan
from mooring.templates.container_values import flag, number, shown, without_nul
from mooring.templates.container_volumes import mount_path
from mooring.templates.errors import TemplateError
from mooring.templates.placeholders import fill
from mooring.templates.trees import Tree, entries, mapping, required_text, sequence, text
from mooring.workflows import addresses
from mooring.workflows.scope import Scope
from mooring.workflows.workflow import Template, Workflow

NOBODY = 65534
"""Who containers of workflows run as when nothing names another user, and their group."""
_MOST_CHARACTERS = 1_000_000
_MODE = re.compile(r"0?o?[0-7]{1,4}", re.ASCII)


@dataclass(frozen=True)
class Export:
    """An artifact that is registered as `global_name`. `sole`: nothing else in the workflow can make it, too."""

    global_name: str
    sole: bool


@dataclass(frozen=True)
class Place:
    """Where in the workflow a template is evaluated. `exports`: what becomes of its outputs further up, by name."""

    node: str
    depth: int = 0
    exports: Mapping[str, tuple[Export, ...]] = field(default_factory=dict)
    wants_result: bool = False
    not_before: datetime | None = None


def repeated(place: Place, node: str) -> Place:
    """A place of which there are several, one of which is `node`: nothing made there is the only one of its kind."""
    exports = {
        name: tuple(Export(export.global_name, sole=False) for export in found) for name, found in place.exports.items()
    }
    return replace(place, node=node, exports=exports)


def order(
    workflow: Workflow, template: Template, place: Place, scope: Scope, *, attempt: int, not_before: datetime | None
) -> JobOrder:
    """Raises TemplateError, naming the field of the template."""
    name = required_text(template.get("name"), "name")
    scope = replace(scope, budget=Budget(_MOST_CHARACTERS, outer=scope.budget))
    facts = {
        "pod.name": f"{workflow.execution_id}-{place.node}",
        "node.name": place.node,
        "retries": str(attempt),
    }
    scope = scope.with_values(facts)
    scope = scope.with_values(dict(_paths(template, scope)))
    kind = "script" if "script" in template else "container"
    container = mapping(fill(template[kind], scope.resolve), kind)
    source = scope.budget.take(required_text(container.get("source"), "script.source")) if kind == "script" else None
    return JobOrder(
        node=place.node,
        attempt=attempt,
        template=name,
        container=render_container(container, _pod(workflow, template, scope), path=kind),
        script=None if source is None else without_nul(source, "script.source"),
        inputs=tuple(_inputs(template, scope)),
        outputs=tuple(_outputs(workflow, template, place, scope)),
        parameters=tuple(_parameters(template, scope)),
        wants_result=place.wants_result,
        seconds=_seconds(template, scope),
        not_before=not_before,
    )


def packed(item: Mapping[str, Tree], path: str) -> bool:
    """Whether an artifact is a tar.gz: unless it has `archive: {none: {}}`. Raises TemplateError."""
    return "none" not in mapping(item.get("archive"), f"{path}.archive")


def step_url(workflow: Workflow, place: Place, name: str, *, is_packed: bool) -> str:
    """Where an output of a job lies: where it is registered, if nothing else can be registered there."""
    export = next((each for each in place.exports.get(name, ()) if each.sole), None)
    if export is None:
        return addresses.of_step(workflow.execution_id, place.node, name, packed=is_packed)
    suffix = workflow.suffixes.get(export.global_name, "")
    return addresses.of_output(workflow.execution_id, export.global_name, suffix)


def _pod(workflow: Workflow, template: Template, scope: Scope) -> Pod:
    spec = workflow.body
    labels = mapping(mapping(template.get("metadata"), "metadata").get("labels"), "metadata.labels")
    own = mapping(template.get("securityContext"), "securityContext")
    security: dict[str, Tree] = {**mapping(spec.get("securityContext"), "spec.securityContext"), **own}
    return Pod(
        volumes=sequence(fill(_volumes(workflow, template), scope.resolve), "volumes"),
        pull_secrets=pull_secrets(
            (_filled({"imagePullSecrets": spec.get("imagePullSecrets", [])}, scope), "spec"),
            (_filled({"imagePullSecrets": template.get("imagePullSecrets", [])}, scope), ""),
        ),
        security=_filled(security, scope),
        resource_plan=resource_plan(_filled(labels, scope)),
        default_user=NOBODY,
        default_group=NOBODY,
    )


def _volumes(workflow: Workflow, template: Template) -> list[Tree]:
    """Those of the workflow and the template's own, which come before others of the same name."""
    found: dict[str, Tree] = {}
    for tree in (workflow.body, template):
        for path, volume in entries(tree, "", "volumes"):
            found[required_text(volume.get("name"), f"{path}.name")] = volume
    return list(found.values())


def _filled(tree: Mapping[str, Tree], scope: Scope) -> Mapping[str, Tree]:
    return mapping(fill(dict(tree), scope.resolve), "")


def _paths(template: Template, scope: Scope) -> Iterator[tuple[str, str]]:
    """`{{inputs.artifacts.x.path}}` and its like."""
    for side in ("inputs", "outputs"):
        for path, item in entries(template, "", side, "artifacts"):
            yield f"{side}.artifacts.{text(item.get('name'), 'name')}.path", _path(item, path, scope)
    for path, item in entries(template, "", "outputs", "parameters"):
        source = mapping(item.get("valueFrom"), f"{path}.valueFrom")
        if text(source.get("path"), "path"):
            yield f"outputs.parameters.{text(item.get('name'), 'name')}.path", _path(source, path, scope)


def _path(item: Mapping[str, Tree], path: str, scope: Scope) -> str:
    return mount_path(scope.fill(required_text(item.get("path"), f"{path}.path")), f"{path}.path")


def _inputs(template: Template, scope: Scope) -> Iterator[InputArtifact]:
    seen: set[str] = set()
    for path, item in entries(template, "", "inputs", "artifacts"):
        name = required_text(item.get("name"), f"{path}.name")
        stored = scope.artifacts[name]
        where = scope.values[f"inputs.artifacts.{name}.path"]
        if where in seen:
            raise TemplateError(f"{path}.path", f"is {where!r}, where another input lies already")
        seen.add(where)
        if stored is not None:
            unpack = stored.unpack and packed(item, path)
            yield InputArtifact(name, where, stored.url, unpack, _mode(item, path))


def _mode(item: Mapping[str, Tree], path: str) -> int | None:
    """Permissions are written in octal digits after a zero, as everywhere; otherwise it is a plain number."""
    found = text(item.get("mode"), f"{path}.mode")
    if not found:
        return None
    if found.startswith("0") and not _MODE.fullmatch(found):
        raise TemplateError(f"{path}.mode", f"is {shown(found)}; permissions such as 0644 are needed")
    octal = int(found.replace("o", ""), 8) if found.startswith("0") else None
    return octal if octal is not None else number(item.get("mode"), f"{path}.mode", most=0o777)


def _outputs(workflow: Workflow, template: Template, place: Place, scope: Scope) -> Iterator[OutputArtifact]:
    for path, item in entries(template, "", "outputs", "artifacts"):
        name = required_text(item.get("name"), f"{path}.name")
        is_packed = packed(item, path)
        yield OutputArtifact(
            name=name,
            path=scope.values[f"outputs.artifacts.{name}.path"],
            url=step_url(workflow, place, name, is_packed=is_packed),
            pack=is_packed,
            optional=flag(item.get("optional"), f"{path}.optional"),
        )


def _parameters(template: Template, scope: Scope) -> Iterator[OutputParameter]:
    for path, item in entries(template, "", "outputs", "parameters"):
        name = required_text(item.get("name"), f"{path}.name")
        default = text(mapping(item.get("valueFrom"), path).get("default"), f"{path}.valueFrom.default")
        where = scope.values.get(f"outputs.parameters.{name}.path")
        if where is None:
            raise TemplateError(f"{path}.valueFrom.path", "is required")
        yield OutputParameter(name, where, None if default is None else scope.fill(default))


def _seconds(template: Template, scope: Scope) -> float | None:
    written = template.get("activeDeadlineSeconds")
    if written is None:
        return None
    return number(fill(written, scope.resolve), "activeDeadlineSeconds", least=1)
