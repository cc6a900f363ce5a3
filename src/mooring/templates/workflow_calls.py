"""What a step or a task may say, looked at when its template is synced."""

import re
from collections.abc import Iterator, Mapping

from mooring.templates.container_values import flag, shown
from mooring.templates.errors import TemplateError
from mooring.templates.placeholders import names_in
from mooring.templates.trees import Tree, entries, kind_of, mapping, required_text, sequence, text
from mooring.templates.workflow_conditions import read_condition
from mooring.templates.workflow_leaves import tried

NAME = re.compile(r"[\w-]{1,128}", re.ASCII)
NAME_IN_WORDS = "up to 128 letters, digits, hyphens and underscores are needed"
_MOST_ITEMS = 1000
_ITEM_FIELD = re.compile(r"item(?:\.([\w.-]+)|\[['\"]?([^\[\]'\"]+)['\"]?\])", re.ASCII)
_ARTIFACT = re.compile(
    r"\s*\{\{\s*(?:inputs\.artifacts\.|(?:steps|tasks)\.[\w-]+\.outputs\.artifacts\.)[^{}\s]+\s*\}\}\s*", re.ASCII
)


def called(template: Mapping[str, Tree]) -> Iterator[tuple[str, dict[str, Tree]]]:
    """The steps or tasks of a template, each with its path below the template."""
    for i, group in enumerate(sequence(template.get("steps"), "steps")):
        for j, step in enumerate(sequence(group, f"steps[{i}]")):
            yield f"steps[{i}][{j}]", mapping(step, f"steps[{i}][{j}]")
    yield from entries(template, "", "dag", "tasks")


def check_calls(template: Mapping[str, Tree], path: str) -> None:
    """Raises TemplateError, naming the field."""
    seen: set[str] = set()
    for below, call in called(template):
        where = f"{path}.{below}"
        name = required_text(call.get("name"), f"{where}.name")
        if not NAME.fullmatch(name):
            raise TemplateError(f"{where}.name", f"is {shown(name)}; {NAME_IN_WORDS}")
        if name in seen:
            raise TemplateError(f"{where}.name", f"is the second {name!r}")
        seen.add(name)
        _check_call(call, where)
    for where, item in entries(template, path, "outputs", "artifacts"):
        _check_source(item, where)


def _check_call(call: Mapping[str, Tree], path: str) -> None:
    when = text(call.get("when"), f"{path}.when")
    if when is not None:
        try:
            read_condition(when)
        except TemplateError as error:
            raise TemplateError(f"{path}.when", error.problem) from None
    _check_items(call, path)
    allowed = mapping(call.get("continueOn"), f"{path}.continueOn")
    for field, value in allowed.items():
        flag(value, f"{path}.continueOn.{field}")
    for where, item in entries(call, path, "arguments", "parameters"):
        required_text(item.get("name"), f"{where}.name")
        text(item.get("value"), f"{where}.value")
    for where, item in entries(call, path, "arguments", "artifacts"):
        required_text(item.get("name"), f"{where}.name")
        _check_source(item, where)
        flag(mapping(tried(dict(item)), where).get("optional"), f"{where}.optional")


def _check_source(item: Mapping[str, Tree], path: str) -> None:
    source = required_text(item.get("from"), f"{path}.from")
    if not _ARTIFACT.fullmatch(source):
        problem = "'{{inputs.artifacts.x}}', '{{steps.x.outputs.artifacts.y}}' or the same with tasks is needed"
        raise TemplateError(f"{path}.from", f"is {shown(source)}; {problem}")


def _check_items(call: Mapping[str, Tree], path: str) -> None:
    used = {name for name in names_in(dict(call)) if name == "item" or name.startswith(("item.", "item["))}
    if "withItems" not in call:
        if used:
            raise TemplateError(path, f"uses {{{{{min(used)}}}}} without withItems")
        return
    if not isinstance(call["withItems"], list):
        raise TemplateError(f"{path}.withItems", f"has to be a list, this is {kind_of(call['withItems'])}")
    items = call["withItems"]
    if len(items) > _MOST_ITEMS:
        raise TemplateError(f"{path}.withItems", f"holds {len(items)} items; at most {_MOST_ITEMS} are allowed")
    for name in sorted(used - {"item"}):
        match = _ITEM_FIELD.fullmatch(name)
        field = (match[1] or match[2]) if match else ""
        lacking = next((i for i, item in enumerate(items) if not isinstance(item, dict) or field not in item), None)
        if lacking is not None:
            raise TemplateError(f"{path}.withItems[{lacking}]", f"has no {field!r}, which {{{{{name}}}}} asks for")
