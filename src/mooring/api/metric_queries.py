"""How clients ask for what was tracked: `executionIds` or `$filter`, `tagFilters`, and `$select`."""

import re
from collections.abc import Sequence

from mooring.api.comma_lists import split, split_ids
from mooring.errors import InvalidRequest
from mooring.services.labels import Selector
from mooring.services.tracked import Filter, Part

_MOST_EXECUTIONS = 10
_MOST_TAG_FILTERS = 100
_LONGEST_FILTER = 1000
_EQ = re.compile(r"executionId\s+eq\s+(\S+)")
_IN = re.compile(r"executionId\s+in\s*\(([^()]*)\)")
_QUOTED = re.compile(r"'([^']*)'|([^']*)")
_TAG = re.compile(r"([^=!]+)(!?=)(.+)", re.DOTALL)
_FORMS = "write executionId eq 'id' or executionId in ('id', 'id')"


def read(
    execution_ids: Sequence[str] | None,
    expression: str | None,
    tag_filters: Sequence[str] | None,
    select: Sequence[str] | None,
) -> Filter:
    """What is asked for. Raises InvalidRequest, naming the parameter."""
    return Filter(_executions(execution_ids, expression), _tags(tag_filters), _parts(select))


def _executions(execution_ids: Sequence[str] | None, expression: str | None) -> list[str]:
    if (execution_ids is None) == (expression is None):
        raise InvalidRequest("executionIds: give exactly one of executionIds and $filter")
    parameter = "executionIds" if expression is None else "$filter"
    given = execution_ids if expression is None else _named_in(expression)
    ids = list(dict.fromkeys(split_ids(given, parameter) or ()))
    if len(ids) > _MOST_EXECUTIONS:
        raise InvalidRequest(f"{parameter} names {len(ids)} executions; at most {_MOST_EXECUTIONS} are allowed")
    return ids


def _named_in(expression: str) -> list[str]:
    if len(expression) > _LONGEST_FILTER:
        raise InvalidRequest(f"$filter has more than {_LONGEST_FILTER} characters: {_FORMS}")
    text = expression.strip()
    one, many = _EQ.fullmatch(text), _IN.fullmatch(text)
    if one:
        return [_unquoted(one[1])]
    if many:
        return [_unquoted(part.strip()) for part in many[1].split(",")]
    raise InvalidRequest(f"$filter cannot be read: {_FORMS}")


def _unquoted(text: str) -> str:
    match = _QUOTED.fullmatch(text)
    if not match or "," in text:
        raise InvalidRequest(f"$filter cannot be read: {_FORMS}")
    return match[1] if match[2] is None else match[2]


def _tags(values: Sequence[str] | None) -> list[Selector]:
    terms = split(values) or []
    if len(terms) > _MOST_TAG_FILTERS:
        raise InvalidRequest(f"tagFilters has {len(terms)} terms; at most {_MOST_TAG_FILTERS} are allowed")
    return [_tag(term) for term in terms]


def _tag(term: str) -> Selector:
    match = _TAG.fullmatch(term)
    if not match or "\0" in term:
        raise InvalidRequest(f"tagFilters holds {term[:80]!r}: write name=value or name!=value, joined by commas")
    name, operator, value = match.groups()
    return Selector(name, value.replace("{comma}", ","), operator == "=")


def _parts(select: Sequence[str] | None) -> frozenset[Part]:
    names = split(select)
    if names is None or "*" in names:
        names = [*(names or ()), *(part.value for part in Part)]
    known = {part.value: part for part in Part}
    wrong = next((name for name in names if name not in known and name != "*"), None)
    if wrong is not None:
        raise InvalidRequest(f"$select holds {wrong[:80]!r}: use {', '.join(known)}, or * for all of them")
    return frozenset(known[name] for name in names if name != "*")
