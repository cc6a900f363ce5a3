"""schemathesis over our OpenAPI document: everything that can be derived from it is sent, every answer is checked."""

import copy
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.known_objects import KnownObjects

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_ORDER = ("get", "post", "patch", "put", "delete")
"""What is there is looked at before it is deleted."""
_ASKED = ("Create", "Modify", "Binding", "Label", "Item", "Data", "Kind")
"""Shapes of requests tolerate unknown fields; all others are sealed."""


@dataclass
class Exploration:
    """What was seen, by operation, and what is wrong, with commands to repeat it by."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)

    def good(self) -> set[str]:
        """The operations that have been answered with success at least once."""
        return {label for label, seen in self.statuses.items() if any(status < 300 for status in seen)}


def explore(
    document: Mapping[str, Any], known: KnownObjects, url: str, headers: Mapping[str, str], *, examples: int
) -> Exploration:
    """Send `examples` requests of each sort to each operation; the same ones each time."""
    schema = schemathesis.openapi.from_dict(_sealed(document))
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    exploration = Exploration()
    with requests.Session() as session:
        for operation in sorted(operations, key=lambda each: _ORDER.index(each.method)):
            seen = exploration.statuses[operation.label] = Counter()
            try:
                _explore_one(
                    operation, known, {"base_url": url, "headers": headers, "session": session}, examples, seen
                )
            except FailureGroup as failures:
                exploration.found.append(f"{operation.label}: {failures}")
    return exploration


def _explore_one(
    operation: Any, known: KnownObjects, sending: dict[str, Any], examples: int, seen: Counter[int]
) -> None:
    def check(case: Any) -> None:
        answer = case.call(**sending)
        seen[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    for cases in _cases(operation, known):
        _same_each_time(examples)(given(case=cases)(check))()


def _same_each_time(examples: int) -> settings:
    return settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )


def _cases(operation: Any, known: KnownObjects) -> Iterator[Any]:
    """What makes sense; what anybody might send about objects that exist; and about others, well formed or not."""
    there = known.ids_for(operation.method)
    ids = {each.name: there[each.name] for each in operation.path_parameters if each.name in there} or None
    body = known.body(operation.method, operation.path)
    if body is not None:
        yield operation.as_strategy(path_parameters=ids, query={}, body=body, media_type="application/json")
    query = known.query(operation.method, operation.path)
    if ids is not None or query is not None:
        yield operation.as_strategy(path_parameters=ids, query=query)
    yield operation.as_strategy() | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)


def _sealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with shapes of answers that allow no field but those that are described."""
    sealed = copy.deepcopy(dict(document))
    for name, shape in sealed["components"]["schemas"].items():
        if "properties" in shape and not name.endswith(_ASKED):
            shape["additionalProperties"] = False
    return sealed
