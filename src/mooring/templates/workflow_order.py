"""The order in which the tasks of a graph run: what each waits for."""

import re
from collections.abc import Mapping

from mooring.templates.errors import TemplateError
from mooring.templates.trees import Tree, entries, required_text, sequence, text

_DEPENDS = re.compile(r"\s*([\w-]+)(?:\.Succeeded)?\s*", re.ASCII)


def dependencies(template: Mapping[str, Tree], path: str) -> dict[str, list[str]]:
    """Per task of `dag`, the tasks that it waits for, in an order in which they can run.

    Raises TemplateError for a task that is not there, a circle, and conditions in `depends` other than success of all.
    """
    waits = {}
    for where, task in entries(template, path, "dag", "tasks"):
        name = required_text(task.get("name"), f"{where}.name")
        if name in waits:
            raise TemplateError(f"{where}.name", f"is the second {name!r}")
        waits[name] = _waits_for(task, where)
    unknown = [(name, other) for name, others in waits.items() for other in others if other not in waits]
    if unknown:
        raise TemplateError(f"{path}.dag", f"has {unknown[0][0]!r} wait for {unknown[0][1]!r}, which is no task of it")
    return _sorted(waits, path)


def _waits_for(task: Mapping[str, Tree], path: str) -> list[str]:
    named = [required_text(item, f"{path}.dependencies") for item in sequence(task.get("dependencies"), path)]
    depends = text(task.get("depends"), f"{path}.depends")
    if depends is None:
        return named
    if named:
        raise TemplateError(path, "has both dependencies and depends: give one")
    matches = [_DEPENDS.fullmatch(part) for part in depends.split("&&")]
    if not all(matches):
        raise TemplateError(f"{path}.depends", "can only join tasks with &&, which have to succeed")
    return [match[1] for match in matches if match]


def _sorted(waits: dict[str, list[str]], path: str) -> dict[str, list[str]]:
    done: dict[str, list[str]] = {}
    while len(done) < len(waits):
        ready = [name for name, others in waits.items() if name not in done and all(other in done for other in others)]
        if not ready:
            circle = ", ".join(name for name in waits if name not in done)
            raise TemplateError(f"{path}.dag", f"has tasks that wait for each other: {circle}")
        done.update((name, waits[name]) for name in ready)
    return done
