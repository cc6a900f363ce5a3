"""Labels of destinations: `[{"key", "values"}]`. They are for those who look for one; nothing here depends on them."""

from collections.abc import Mapping, Sequence
from typing import Any

from mooring.errors import InvalidRequest
from mooring.store.tables import Destination
from mooring.store.types import utc_now

_ADD, _DELETE = "ADD", "DELETE"
_MOST_LABELS = 50
_MOST_VALUES = 50
_LONGEST = 255

Labels = list[dict[str, Any]]


def replace(row: Destination, given: object) -> Labels:
    """Raises InvalidRequest."""
    return _keep(row, _values(given))


def patch(row: Destination, given: object) -> Labels:
    """`{"action": "ADD" or "DELETE", "labels": […]}`; all values of a key go when none is named.

    Raises InvalidRequest.
    """
    if not isinstance(given, dict) or given.get("action") not in (_ADD, _DELETE):
        raise InvalidRequest(f"action: must be {_ADD} or {_DELETE}, beside labels")
    changed = _values(given.get("labels"), may_be_empty=given["action"] == _DELETE)
    present = _values(row.labels)
    for key, values in changed.items():
        before = present.get(key, [])
        if given["action"] == _ADD:
            present[key] = list(dict.fromkeys([*before, *values]))
        else:
            present[key] = [each for each in before if values and each not in values]
    return _keep(row, {key: values for key, values in present.items() if values})


def _keep(row: Destination, values: Mapping[str, Sequence[str]]) -> Labels:
    if len(values) > _MOST_LABELS or any(len(each) > _MOST_VALUES for each in values.values()):
        raise InvalidRequest(f"there are at most {_MOST_LABELS} labels of at most {_MOST_VALUES} values each")
    row.labels = [{"key": key, "values": list(each)} for key, each in values.items()]
    row.version += 1
    row.modified_at = utc_now()
    return row.labels


def _values(given: object, *, may_be_empty: bool = False) -> dict[str, list[str]]:
    if not isinstance(given, list):
        raise InvalidRequest('labels: must be a list of {"key": …, "values": […]}')
    found: dict[str, list[str]] = {}
    for item in given:
        key, values = (item.get("key"), item.get("values")) if isinstance(item, dict) else (None, None)
        if not _is_text(key) or not isinstance(values, list) or not all(map(_is_text, values)):
            raise InvalidRequest(f'labels: each is {{"key": …, "values": […]}}, texts of 1 to {_LONGEST} characters')
        if not values and not may_be_empty:
            raise InvalidRequest("labels: each has one value or more")
        found.setdefault(str(key), []).extend(values)
    return {key: list(dict.fromkeys(values)) for key, values in found.items()}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= _LONGEST and value.isprintable()
