"""Which placeholders a workflow's templates may use, so that a wrong one is found at the sync and not in a run."""

import re
from collections.abc import Collection, Iterator, Mapping

from mooring.templates.errors import TemplateError
from mooring.templates.placeholders import names_in
from mooring.templates.trees import Scalar, Tree, entries, required_text, text
from mooring.templates.workflow_calls import called
from mooring.templates.workflow_order import dependencies

Template = Mapping[str, Tree]
Templates = Mapping[str, Template]
_ROOTS = frozenset({"workflow", "inputs", "outputs", "steps", "tasks", "item", "pod", "node", "retries", "lastRetry"})
_WORKFLOW_FACTS = frozenset({"name", "uid", "namespace", "creationTimestamp", "status"})
_ALWAYS = frozenset({"pod.name", "node.name", "retries"})
_OF_CALLS = re.compile(
    r"(?:steps|tasks)\.([\w-]+)\.(?:outputs\.((?:parameters|artifacts)\.[\w.-]+|result)|(exitCode)|status|id)"
)
_EXPRESSION = "{{="


def refuse_unknown_references(templates: Templates, parameters: Collection[str]) -> None:
    """Raises TemplateError for a placeholder that will never have a value; other double braces are none of ours."""
    outputs = {name: _outputs(template) for name, template in templates.items()}
    for name, template in templates.items():
        path = f"spec.templates[{name}]"
        _refuse_expressions(dict(template), path)
        allowed = {*_ALWAYS, *_of_workflow(parameters), *_own(template)}
        calls = {text(call.get("name"), "name") or "": call for _, call in called(template)}
        before = dict(_ended_before(template, path))
        for below, call in called(template):
            earlier = {each: calls[each] for each in before[text(call.get("name"), "name") or ""]}
            _check(call, f"{path}.{below}", allowed, earlier, outputs)
        rest = {field: tree for field, tree in template.items() if field not in ("steps", "dag")}
        _check(rest, path, allowed, calls, outputs)


def refuse_missing_arguments(templates: Templates, entrypoint: str, parameters: Collection[str]) -> None:
    """Raises TemplateError for an input parameter that has no value, and that a caller does not give."""
    _require(templates[entrypoint], parameters, f"spec.templates[{entrypoint}]", "spec.arguments has none")
    for name, template in templates.items():
        for below, call in called(template):
            path = f"spec.templates[{name}].{below}"
            given = {text(item.get("name"), where) for where, item in entries(call, path, "arguments", "parameters")}
            target = required_text(call.get("template"), f"{path}.template")
            _require(templates[target], {each for each in given if each}, path, "its arguments have none")


def _require(template: Template, given: Collection[str], path: str, problem: str) -> None:
    for where, item in entries(template, "", "inputs", "parameters"):
        name = required_text(item.get("name"), f"{where}.name")
        values = (text(item.get(field), f"{where}.{field}") for field in ("value", "default"))
        if name not in given and all(value is None for value in values):
            raise TemplateError(path, f"needs a value for the parameter {name!r}, and {problem}")


def _check(
    tree: Template, path: str, allowed: Collection[str], calls: Mapping[str, Template], outputs: Mapping[str, set[str]]
) -> None:
    for reference in names_in(dict(tree)):
        root = re.split(r"[.\[]", reference)[0]
        if root not in _ROOTS or reference in allowed or (root == "item" and "template" in tree):
            continue  # items are checked with their step
        match = _OF_CALLS.fullmatch(reference)
        if match is None or match[1] not in calls:
            raise TemplateError(path, f"uses {{{{{reference}}}}}, which has no value there")
        target = text(calls[match[1]].get("template"), "template") or ""
        wanted = match[2] or match[3]
        if wanted and wanted not in outputs.get(target, ()):
            raise TemplateError(path, f"uses {{{{{reference}}}}}, but {target!r} gives no such thing")
        if match[3] and "withItems" in calls[match[1]]:
            raise TemplateError(path, f"uses {{{{{reference}}}}}, but with its items it has several")


def _outputs(template: Template) -> set[str]:
    """`parameters.x` and `artifacts.y`, and what only containers have."""
    declared = {
        f"{kind}.{text(item.get('name'), path)}"
        for kind in ("parameters", "artifacts")
        for path, item in entries(template, "", "outputs", kind)
    }
    return declared if "steps" in template or "dag" in template else {*declared, "result", "exitCode"}


def _ended_before(template: Template, path: str) -> Iterator[tuple[str, set[str]]]:
    """Per step or task, those that have ended when it begins."""
    if "dag" in template:
        ended: dict[str, set[str]] = {}
        order = dependencies(template, path)
        position = {name: i for i, name in enumerate(order)}
        for name, waited in order.items():
            found: set[str] = set()
            # The latest first: most of the others are among those that it waits for.
            for task in sorted((each.task for each in waited), key=position.__getitem__, reverse=True):
                if task not in found:
                    found.update(ended[task], [task])
            ended[name] = found
        yield from ended.items()
        return
    groups: dict[str, list[str]] = {}
    for below, call in called(template):
        groups.setdefault(below.partition("]")[0], []).append(text(call.get("name"), "name") or "")
    earlier: set[str] = set()
    for names in groups.values():
        yield from ((name, set(earlier)) for name in names)
        earlier.update(names)


def _refuse_expressions(tree: Tree, path: str) -> None:
    match tree:
        case Scalar(written) if _EXPRESSION in written:
            raise TemplateError(path, "uses an expression ({{=…}}), which is not offered here: use plain placeholders")
        case list():
            for item in tree:
                _refuse_expressions(item, path)
        case dict():
            for field, value in tree.items():
                _refuse_expressions(value, f"{path}.{field}")


def _of_workflow(parameters: Collection[str]) -> Iterator[str]:
    yield from (f"workflow.parameters.{name}" for name in parameters)
    yield from (f"workflow.{fact}" for fact in _WORKFLOW_FACTS)


def _own(template: Template) -> Iterator[str]:
    """The template's own inputs and outputs."""
    for _, item in entries(template, "", "inputs", "parameters"):
        yield f"inputs.parameters.{text(item.get('name'), 'name')}"
    for side in ("inputs", "outputs"):
        for _, item in entries(template, "", side, "artifacts"):
            name = text(item.get("name"), "name")
            yield f"{side}.artifacts.{name}.path"
            yield f"{side}.artifacts.{name}"
    for _, item in entries(template, "", "outputs", "parameters"):
        yield f"outputs.parameters.{text(item.get('name'), 'name')}.path"
