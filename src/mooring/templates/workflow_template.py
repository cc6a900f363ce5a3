"""WorkflowTemplates: Argo's workflows, in the shapes of the AI API (reference, section 6.3)."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from mooring.templates.container_values import number, shown
from mooring.templates.errors import TemplateError
from mooring.templates.executable_template import WORKFLOW, ExecutableTemplate
from mooring.templates.fields import select
from mooring.templates.metadata import Metadata, TemplateArtifact, artifact, read_metadata, read_parameters
from mooring.templates.trees import Tree, entries, mapping, required_text, sequence, text
from mooring.templates.workflow_calls import NAME, NAME_IN_WORDS, called, check_calls
from mooring.templates.workflow_fields import SPEC, STEP
from mooring.templates.workflow_leaves import check_leaf, check_nested, tried
from mooring.templates.workflow_order import dependencies
from mooring.templates.workflow_references import refuse_missing_arguments, refuse_unknown_references
from mooring.templates.yaml_documents import embedded

_KINDS = ("container", "script", "steps", "dag")
_MOST_TEMPLATES = 200
_MOST_PARTS = 1000
DEEPEST = 50
"""How deep templates may call each other."""
_GLOBAL_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,255}")
_SUFFIX = re.compile(r"(?:[A-Za-z0-9_.-]|/(?!/|$)){0,256}")
Templates = Mapping[str, Mapping[str, Tree]]


def read_workflow_template(document: Mapping[str, Tree]) -> ExecutableTemplate:
    """Check a document of this kind. Raises TemplateError, naming the field's path."""
    metadata = read_metadata(document)
    warnings: list[str] = []
    spec = mapping(select(_with_plain_metadata(document), SPEC, "spec", warnings), "spec")
    parameters = read_parameters(
        mapping(spec.get("arguments"), "spec.arguments").get("parameters"), "spec.arguments.parameters"
    )
    templates = dict(_templates(spec, warnings))
    entrypoint = required_text(spec.get("entrypoint"), "spec.entrypoint")
    order = _reachable(templates, entrypoint)
    names = {parameter.name for parameter in parameters}
    refuse_unknown_references(templates, names)
    refuse_missing_arguments(templates, entrypoint, names)
    _check_deadline(spec)
    return ExecutableTemplate(
        kind=WORKFLOW,
        metadata=metadata,
        parameters=parameters,
        inputs=tuple(_inputs(metadata, templates, order)),
        outputs=tuple(_outputs(metadata, templates, order)),
        body={**spec, "templates": [dict(template) for template in templates.values()]},
        warnings=tuple(warnings),
    )


def _check_deadline(spec: Mapping[str, Tree]) -> None:
    field = "activeDeadlineSeconds"
    written = {name: value for name, value in spec.items() if name == field}
    number(mapping(tried(written), "spec").get(field), f"spec.{field}", least=1)


def _with_plain_metadata(document: Mapping[str, Tree]) -> Tree:
    """The spec, with the templates' metadata read where it is a block of text."""
    spec = dict(mapping(document.get("spec"), "spec"))
    templates: list[Tree] = []
    for path, template in entries(spec, "spec", "templates"):
        metadata = embedded(template.get("metadata"), f"{path}.metadata")
        inner = {
            name: embedded(value, f"{path}.metadata.{name}") or {}
            for name, value in mapping(metadata, f"{path}.metadata").items()
        }
        templates.append({**template, "metadata": inner} if inner else template)
    return {**spec, "templates": templates}


def _templates(spec: Mapping[str, Tree], warnings: list[str]) -> Iterator[tuple[str, Mapping[str, Tree]]]:
    found = entries(spec, "spec", "templates")
    if not 0 < len(found) <= _MOST_TEMPLATES:
        raise TemplateError("spec.templates", f"has to hold 1 to {_MOST_TEMPLATES} templates, this holds {len(found)}")
    seen: set[str] = set()
    for path, template in found:
        name = required_text(template.get("name"), f"{path}.name")
        if not NAME.fullmatch(name):
            raise TemplateError(f"{path}.name", f"is {shown(name)}; {NAME_IN_WORDS}")
        if name in seen:
            raise TemplateError(f"{path}.name", f"is the second {name!r}")
        seen.add(name)
        yield name, _checked(template, spec, path, warnings)


def _checked(
    template: Mapping[str, Tree], spec: Mapping[str, Tree], path: str, warnings: list[str]
) -> Mapping[str, Tree]:
    kinds = [kind for kind in _KINDS if kind in template]
    if len(kinds) != 1:
        raise TemplateError(path, f"has to have exactly one of {', '.join(_KINDS)}")
    if "steps" in template:
        groups = sequence(template["steps"], f"{path}.steps")
        # Argo takes a single step for a group of one.
        lists: list[Tree] = [group if isinstance(group, list) else [group] for group in groups]
        template = {
            **template,
            "steps": [_group(group, f"{path}.steps[{i}]", warnings) for i, group in enumerate(lists)],
        }
    _refuse_too_many(template, path)
    if "dag" in template:
        dependencies(template, path)
    if "container" in template or "script" in template:
        _check_container(template, path)
        check_leaf(template, spec, path)
    else:
        check_calls(template, path)
        check_nested(template, path)
    return template


def _group(group: Tree, path: str, warnings: list[str]) -> Tree:
    return [select(step, STEP, f"{path}[{j}]", warnings) for j, step in enumerate(sequence(group, path))]


def _refuse_too_many(template: Mapping[str, Tree], path: str) -> None:
    if sum(1 for _ in called(template)) > _MOST_PARTS:
        raise TemplateError(path, f"has more than {_MOST_PARTS} steps or tasks")
    for side in ("inputs", "outputs"):
        for kind in ("parameters", "artifacts"):
            names = [text(item.get("name"), f"{where}.name") for where, item in entries(template, path, side, kind)]
            if len(names) > _MOST_PARTS:
                raise TemplateError(f"{path}.{side}.{kind}", f"has more than {_MOST_PARTS} entries")
            seen: set[str | None] = set()
            for i, name in enumerate(names):
                if not name or name in seen:
                    problem = f"is the second {name!r}" if name else "is required"
                    raise TemplateError(f"{path}.{side}.{kind}[{i}].name", problem)
                seen.add(name)


def _check_container(template: Mapping[str, Tree], path: str) -> None:
    kind = "script" if "script" in template else "container"
    container = mapping(template[kind], f"{path}.{kind}")
    required_text(container.get("image"), f"{path}.{kind}.image")
    if not sequence(container.get("command"), f"{path}.{kind}.command"):
        raise TemplateError(f"{path}.{kind}.command", "is required: an image's own command is not used in workflows")
    if kind == "script":
        required_text(container.get("source"), f"{path}.script.source")


def _reachable(templates: Templates, entrypoint: str) -> list[str]:
    """The templates that are called from the entrypoint on, each once, callers first. Raises TemplateError."""
    if entrypoint not in templates:
        raise TemplateError("spec.entrypoint", f"names {entrypoint!r}, which is no template of this file")
    finished: list[str] = []
    _visit(templates, entrypoint, (), finished)
    return finished[::-1]


def _visit(templates: Templates, name: str, callers: tuple[str, ...], finished: list[str]) -> None:
    if len(callers) > DEEPEST:
        raise TemplateError(f"spec.templates[{name}]", f"is called by way of more than {DEEPEST} others")
    if name in callers:
        raise TemplateError(f"spec.templates[{name}]", f"calls itself by way of {' → '.join((*callers, name))}")
    if name in finished:
        return
    for path, call in called(templates[name]):
        where = f"spec.templates[{name}].{path}"
        target = required_text(call.get("template"), f"{where}.template")
        if target not in templates:
            raise TemplateError(f"{where}.template", f"names {target!r}, which is no template of this file")
        _visit(templates, target, (*callers, name), finished)
    finished.append(name)


def _inputs(metadata: Metadata, templates: Templates, order: list[str]) -> Iterator[TemplateArtifact]:
    """What configurations bind: inputs of the templates that not every caller hands over."""
    calls: Counter[str] = Counter(order[:1])  # who executes it calls the first one, and hands nothing over
    given: Counter[tuple[str, str]] = Counter()
    for name in order:
        for _, call in called(templates[name]):
            target = text(call.get("template"), "template") or ""
            calls[target] += 1
            handed_over = entries(call, "", "arguments", "artifacts")
            given.update((target, text(item.get("name"), path) or "") for path, item in handed_over)
    seen: set[str] = set()
    for name in order:
        for path, item in entries(templates[name], f"spec.templates[{name}]", "inputs", "artifacts"):
            input_name = required_text(item.get("name"), f"{path}.name")
            if given[name, input_name] < calls[name] and input_name not in seen:
                seen.add(input_name)
                yield artifact(metadata, input_name)


def _outputs(metadata: Metadata, templates: Templates, order: list[str]) -> Iterator[TemplateArtifact]:
    """What is registered: outputs with a `globalName`."""
    seen: set[str] = set()
    for name in order:
        for path, item in entries(templates[name], f"spec.templates[{name}]", "outputs", "artifacts"):
            global_name = text(item.get("globalName"), f"{path}.globalName")
            if global_name in seen:
                raise TemplateError(f"{path}.globalName", f"is the second {global_name!r}")
            if global_name:
                seen.add(global_name)
                yield _registered(metadata, global_name, f"{path}.globalName")


def _registered(metadata: Metadata, name: str, path: str) -> TemplateArtifact:
    """Its name and suffix are a part of its address: they lead nowhere else."""
    if not _GLOBAL_NAME.fullmatch(name):
        problem = "letters, digits, dots, underscores and hyphens are needed, and no placeholder"
        raise TemplateError(path, f"is {shown(name)}; {problem}")
    found = artifact(metadata, name, default_kind="model")
    if not _SUFFIX.fullmatch(found.suffix) or ".." in found.suffix.split("/"):
        where = f"metadata.annotations.artifacts.ai.sap.com/{name}.suffix"
        raise TemplateError(where, f"is {shown(found.suffix)}; something such as /best or .tgz is needed")
    return found
