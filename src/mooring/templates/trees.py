"""Documents as trees of mappings, lists and scalars that remember how they were written.

A scalar keeps its text, because what it means depends on where it stands: a version `1.10` is text, a replica count `2`
is a number. And it keeps whether it was plain (without quotes), because only a plain scalar can mean anything but text.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, Union

from mooring.templates.errors import TemplateError

Tree: TypeAlias = Union["Scalar", list["Tree"], dict[str, "Tree"]]

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_LONGEST_NUMBER = 40


@dataclass(frozen=True)
class Scalar:
    """One value. `text` may hold placeholders (see `mooring.templates.placeholders`)."""

    text: str
    plain: bool = False

    @property
    def value(self) -> str | int | float | bool | None:
        """What it means by the core schema of YAML 1.2: `yes` and `1:30` are text."""
        return plain_value(self.text) if self.plain else self.text

    @property
    def is_null(self) -> bool:
        return self.plain and self.text in _NULLS


def plain_value(text: str) -> str | int | float | bool | None:
    """What a text without quotes means."""
    if text in _NULLS:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if len(text) <= _LONGEST_NUMBER:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


def to_values(tree: Tree) -> Any:
    """The tree as JSON has it."""
    match tree:
        case Scalar():
            return tree.value
        case list():
            return [to_values(item) for item in tree]
        case dict():
            return {key: to_values(item) for key, item in tree.items()}


def to_json(tree: Tree) -> Any:
    """The tree for the store: a scalar is its text, or `{"=": text}` when it was written without quotes."""
    match tree:
        case Scalar(text, plain):
            return {"=": text} if plain else text
        case list():
            return [to_json(item) for item in tree]
        case dict():
            return {"{}": {key: to_json(item) for key, item in tree.items()}}


def from_json(document: Any) -> Tree:
    """Back from the store."""
    match document:
        case str():
            return Scalar(document)
        case {"=": text}:
            return Scalar(text, plain=True)
        case {"{}": items}:
            return {key: from_json(item) for key, item in items.items()}
        case list():
            return [from_json(item) for item in document]
    raise ValueError(f"no tree: {type(document).__name__}")


# --- reading fields: what is missing or null is absent, what has the wrong kind is an error --------------------------


def mapping(tree: Tree | None, path: str) -> dict[str, Tree]:
    """The mapping; an empty one when it is absent. Raises TemplateError."""
    if tree is None or (isinstance(tree, Scalar) and tree.is_null):
        return {}
    if not isinstance(tree, dict):
        raise TemplateError(path, f"has to be a mapping, this is {kind_of(tree)}")
    return tree


def sequence(tree: Tree | None, path: str) -> list[Tree]:
    """The list; an empty one when it is absent. Raises TemplateError."""
    if tree is None or (isinstance(tree, Scalar) and tree.is_null):
        return []
    if not isinstance(tree, list):
        raise TemplateError(path, f"has to be a list, this is {kind_of(tree)}")
    return tree


def text(tree: Tree | None, path: str) -> str | None:
    """The text as it was written, also of a number; None when it is absent. Raises TemplateError."""
    if tree is None or (isinstance(tree, Scalar) and tree.is_null):
        return None
    if not isinstance(tree, Scalar):
        raise TemplateError(path, f"has to be a text, this is {kind_of(tree)}")
    return tree.text


def required_text(tree: Tree | None, path: str) -> str:
    """Raises TemplateError also when it is absent or empty."""
    found = text(tree, path)
    if not found:
        raise TemplateError(path, "is required")
    return found


def entries(tree: Mapping[str, Tree], path: str, *names: str) -> Sequence[tuple[str, dict[str, Tree]]]:
    """The mappings in the list that lies under these names, each with its path."""
    found: Tree | None = dict(tree)
    for name in names:
        path = f"{path}.{name}" if path else name
        found = mapping(found, path).get(name) if found is not None else None
    return [(f"{path}[{i}]", mapping(item, f"{path}[{i}]")) for i, item in enumerate(sequence(found, path))]


def kind_of(tree: Tree) -> str:
    match tree:
        case Scalar():
            return "a single value"
        case list():
            return "a list"
        case dict():
            return "a mapping"
