"""Shapes of answers, made exact: a field that may be missing is left out, and never null.

The framework writes `string or null` for whatever is optional in Python. What can really be null is a required field,
or says so by `json_schema_extra=NULLABLE`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from mooring.api.schemas.common import NULLABLE

_PLACE = "#/components/schemas/"


def make_exact(document: dict[str, Any]) -> None:
    """For all shapes that are only answered; those of requests take null for absent."""
    shapes = document["components"]["schemas"]
    _without_null_parameters(document)
    asked, answered = [], []
    for operations in document["paths"].values():
        for operation in operations.values():
            asked.append(operation.get("requestBody"))
            answered.append(operation["responses"])
    for name in _reachable(answered, shapes) - _reachable(asked, shapes):
        _make_exact(shapes[name])


def _make_exact(shape: dict[str, Any]) -> None:
    required = shape.get("required", ())
    for name, field in shape.get("properties", {}).items():
        can_be_null = [field.pop(mark, False) for mark in NULLABLE]
        if not any(can_be_null) and name not in required:
            _remove_null(field)


def _without_null_parameters(document: dict[str, Any]) -> None:
    """There is no way to write null in a path, a query or a header."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                _remove_null(parameter["schema"])


def _remove_null(field: dict[str, Any]) -> None:
    choices = [choice for choice in field.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1 and len(field["anyOf"]) == 2:
        del field["anyOf"]
        field.pop("default", None)
        field.update(choices[0])


def _reachable(roots: Iterable[Any], shapes: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    waiting = list(_named_in(list(roots)))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_named_in(shapes[name]))
    return found


def _named_in(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"].removeprefix(_PLACE)
        for value in part.values():
            yield from _named_in(value)
    elif isinstance(part, list):
        for value in part:
            yield from _named_in(value)
