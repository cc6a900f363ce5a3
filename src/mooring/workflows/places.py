"""How often each template of a workflow can be evaluated: what is made in two places cannot lie in one."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from mooring.templates.placeholders import names_in
from mooring.templates.trees import Scalar, Tree, entries, mapping, required_text, sequence, text
from mooring.workflows.orders import Export
from mooring.workflows.workflow import Template, Workflow

_RESULT = re.compile(r"(?:steps|tasks)\.([\w-]+)\.outputs\.result", re.ASCII)
_RESULT_FIELD = ".outputs.result"
_MANY = 2


def calls_of(template: Template) -> Iterator[Mapping[str, Tree]]:
    """Its steps or tasks."""
    for i, group in enumerate(sequence(template.get("steps"), "steps")):
        yield from (mapping(step, f"steps[{i}]") for step in sequence(group, f"steps[{i}]"))
    yield from (task for _, task in entries(template, "", "dag", "tasks"))


def sole_templates(workflow: Workflow) -> frozenset[str]:
    """The templates that are evaluated at most once in a run. Raises TemplateError."""
    entrypoint = required_text(workflow.body.get("entrypoint"), "spec.entrypoint")
    counts = Counter({entrypoint: 1})
    for name in _callers_first(workflow, entrypoint):
        template = workflow.templates[name]
        # A whole template that is tried again runs its steps anew.
        again = "retryStrategy" in template and ("steps" in template or "dag" in template)
        for call in calls_of(template):
            times = _MANY if again or "withItems" in call else 1
            called = required_text(call.get("template"), "template")
            counts[called] = min(_MANY, counts[called] + counts[name] * times)
    return frozenset(name for name, count in counts.items() if count == 1)


def results_wanted(template: Template) -> frozenset[str]:
    """The steps or tasks whose printed result others use."""
    return frozenset(
        match[1]
        for scalar in _scalars(dict(template))
        if _RESULT_FIELD in scalar.text  # nearly all are told apart by this alone
        for match in map(_RESULT.fullmatch, names_in(scalar))
        if match
    )


def exports_of(
    template: Template, *, sole: bool, inherited: Mapping[str, tuple[Export, ...]]
) -> dict[str, tuple[Export, ...]]:
    """What becomes of a template's output artifacts, by name: registered by itself, or further up."""
    exports = dict(inherited)
    for path, item in entries(template, "", "outputs", "artifacts"):
        global_name = text(item.get("globalName"), f"{path}.globalName")
        if global_name:
            name = required_text(item.get("name"), f"{path}.name")
            exports[name] = (Export(global_name, sole), *exports.get(name, ()))
    return exports


def exports_of_call(
    template: Template, call_name: str, exports: Mapping[str, tuple[Export, ...]]
) -> dict[str, tuple[Export, ...]]:
    """What becomes of the outputs of one step or task, by way of the outputs of its template."""
    found: dict[str, tuple[Export, ...]] = {}
    for path, item in entries(template, "", "outputs", "artifacts"):
        source = text(item.get("from"), f"{path}.from") or ""
        match = re.fullmatch(r"\s*\{\{\s*(?:steps|tasks)\.([\w-]+)\.outputs\.artifacts\.([^{}\s]+)\s*\}\}\s*", source)
        if match and match[1] == call_name:
            name = text(item.get("name"), f"{path}.name") or ""
            found[match[2]] = (*found.get(match[2], ()), *exports.get(name, ()))
    return found


def _callers_first(workflow: Workflow, entrypoint: str) -> list[str]:
    finished: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in finished:
            for call in calls_of(workflow.templates[name]):
                visit(required_text(call.get("template"), "template"))
            finished[name] = None

    visit(entrypoint)
    return list(finished)[::-1]


def _scalars(tree: Tree) -> Iterator[Scalar]:
    trees = [tree]
    while trees:
        match trees.pop():
            case Scalar() as scalar:
                yield scalar
            case list(items):
                trees.extend(items)
            case dict(items):
                trees.extend(items.values())
