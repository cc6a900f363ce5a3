"""Which fields of a template have an effect, which have none, and which are refused.

What we do not know is left out with a warning: nothing is handed on that was not looked at. What would give a container
more rights than its owner has is refused, with the field's path.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, Union

from mooring.templates.errors import TemplateError
from mooring.templates.trees import Scalar, Tree, mapping, sequence

Rule: TypeAlias = Union["Fields", "ListOf", None]
"""What lies under a field: a mapping of known fields, a list of them, or (None) anything."""


@dataclass(frozen=True)
class Fields:
    """A mapping. `refused` and `without_effect` give the reason by field."""

    known: Mapping[str, Rule]
    refused: Mapping[str, str] = field(default_factory=dict)
    without_effect: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ListOf:
    """A list of such mappings."""

    item: Fields


def select(tree: Tree, rule: Rule, path: str, warnings: list[str]) -> Tree:
    """The fields that have an effect; a warning for each other. Raises TemplateError for those that are refused."""
    match rule:
        case None:
            return tree
        case ListOf(item):
            found = sequence(tree, path)
            return [select(part, item, f"{path}[{i}]", warnings) for i, part in enumerate(found)]
        case Fields():
            return dict(_known(mapping(tree, path), rule, path, warnings))


def _known(tree: Mapping[str, Tree], rule: Fields, path: str, warnings: list[str]) -> list[tuple[str, Tree]]:
    kept = []
    for name, value in tree.items():
        where = f"{path}.{name}" if path else name
        if name in rule.known:
            kept.append((name, select(value, rule.known[name], where, warnings)))
        elif name in rule.refused:
            _refuse(value, where, rule.refused[name])
        else:
            warnings.append(f"{where} {rule.without_effect.get(name, 'is not known here and has no effect')}")
    return kept


def _refuse(value: Tree, path: str, reason: str) -> None:
    """Unless it says the harmless thing: `false`, or nothing."""
    if isinstance(value, Scalar) and value.value in (False, None, ""):
        return
    if value == [] or value == {}:
        return
    raise TemplateError(path, f"is not allowed: {reason}")
