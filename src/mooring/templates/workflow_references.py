"""Which placeholders a workflow's templates may use, so that a wrong one is found at the sync and not in a run."""

import re
from collections.abc import Iterator, Mapping

from mooring.templates.errors import TemplateError
from mooring.templates.placeholders import names_in
from mooring.templates.trees import Tree, entries, mapping, sequence, text

_ROOTS = frozenset({"workflow", "inputs", "outputs", "steps", "tasks", "item", "pod", "node", "retries", "lastRetry"})
_WORKFLOW_FACTS = frozenset({"name", "uid", "namespace", "creationTimestamp", "status"})
_ALWAYS = frozenset({"pod.name", "node.name", "retries"})
_OF_CALLS = re.compile(
    r"(?:steps|tasks)\.([\w-]+)\.(?:outputs\.(?:parameters|artifacts)\.[\w.-]+|outputs\.result|exitCode|status|id)"
)


def refuse_unknown_references(templates: Mapping[str, Mapping[str, Tree]], parameters: set[str]) -> None:
    """Raises TemplateError for a placeholder that will never have a value; other double braces are none of ours."""
    for name, template in templates.items():
        calls = set(_calls(template))
        allowed = {*_ALWAYS, *_of_workflow(parameters), *_own(template)}
        for reference in names_in(dict(template)):
            if re.split(r"[.\[]", reference)[0] not in _ROOTS or reference in allowed:
                continue
            if reference == "item" or reference.startswith(("item.", "item[")):
                continue  # checked against the items when they are known
            match = _OF_CALLS.fullmatch(reference)
            if match and match[1] in calls:
                continue
            raise TemplateError(f"spec.templates[{name}]", f"uses {{{{{reference}}}}}, which has no value there")


def _of_workflow(parameters: set[str]) -> Iterator[str]:
    yield from (f"workflow.parameters.{name}" for name in parameters)
    yield from (f"workflow.{fact}" for fact in _WORKFLOW_FACTS)


def _own(template: Mapping[str, Tree]) -> Iterator[str]:
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


def _calls(template: Mapping[str, Tree]) -> Iterator[str]:
    """The names of its steps or tasks."""
    for group in sequence(template.get("steps"), "steps"):
        for step in sequence(group, "steps"):
            yield text(mapping(step, "steps").get("name"), "name") or ""
    for _, task in entries(template, "", "dag", "tasks"):
        yield text(task.get("name"), "name") or ""
