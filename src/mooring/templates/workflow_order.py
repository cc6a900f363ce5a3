"""The order in which the tasks of a graph run: what each waits for."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mooring.templates.errors import TemplateError
from mooring.templates.trees import Tree, entries, required_text, sequence, text

_DEPENDS = re.compile(r"\s*([\w-]+)(\.Succeeded)?\s*", re.ASCII)


class Dependency(NamedTuple):
    """A task that another waits for. Unless it `has_to_succeed`, it may have been skipped as well."""

    task: str
    has_to_succeed: bool = False


def dependencies(template: Mapping[str, Tree], path: str) -> dict[str, list[Dependency]]:
    """Per task of `dag`, the tasks that it waits for, in an order in which they can run.

    Raises TemplateError for a task that is not there, a circle, and conditions in `depends` other than success of all.
    """
    waits = {}
    for where, task in entries(template, path, "dag", "tasks"):
        name = required_text(task.get("name"), f"{where}.name")
        if name in waits:
            raise TemplateError(f"{where}.name", f"is the second {name!r}")
        waits[name] = list(dict.fromkeys(_waits_for(task, where)))
    unknown = [(name, each.task) for name, others in waits.items() for each in others if each.task not in waits]
    if unknown:
        raise TemplateError(f"{path}.dag", f"has {unknown[0][0]!r} wait for {unknown[0][1]!r}, which is no task of it")
    return {name: waits[name] for name in _sorted(waits, path)}


def _waits_for(task: Mapping[str, Tree], path: str) -> Iterator[Dependency]:
    named = [required_text(item, f"{path}.dependencies") for item in sequence(task.get("dependencies"), path)]
    depends = text(task.get("depends"), f"{path}.depends")
    if depends is None:
        yield from (Dependency(name) for name in named)
        return
    if named:
        raise TemplateError(path, "has both dependencies and depends: give one")
    for part in depends.split("&&"):
        match = _DEPENDS.fullmatch(part)
        if match is None:
            raise TemplateError(f"{path}.depends", "can only join tasks with &&, which have to succeed")
        yield Dependency(match[1], has_to_succeed=match[2] is not None)


def _sorted(waits: Mapping[str, list[Dependency]], path: str) -> list[str]:
    missing = {name: len(others) for name, others in waits.items()}
    followers: dict[str, list[str]] = {name: [] for name in waits}
    for name, others in waits.items():
        for each in others:
            followers[each.task].append(name)
    order = [name for name, count in missing.items() if not count]
    for name in order:  # grows while it is read
        for follower in followers[name]:
            missing[follower] -= 1
            if not missing[follower]:
                order.append(follower)
    if len(order) < len(waits):
        circle = ", ".join(name for name, count in missing.items() if count)
        raise TemplateError(f"{path}.dag", f"has tasks that wait for each other: {circle}")
    return order
