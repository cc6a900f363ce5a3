"""Query parameters that hold many values, joined by commas or given again and again."""

import re
from collections.abc import Sequence

from mooring.api.schemas.common import ID_PATTERN
from mooring.errors import InvalidRequest

_ID = re.compile(ID_PATTERN.removesuffix("$"))
_MOST_IDS = 1000


def split(values: Sequence[str] | None) -> list[str] | None:
    """The values; None when the parameter is absent."""
    if values is None:
        return None
    return [part for value in values for part in value.split(",")]


def split_ids(values: Sequence[str] | None, parameter: str) -> list[str] | None:
    """The ids; None when the parameter is absent. Raises InvalidRequest for what is no id."""
    ids = split(values)
    if ids is None:
        return None
    wrong = next((part for part in ids if not _ID.fullmatch(part)), None)
    if wrong is not None:
        raise InvalidRequest(
            f"{parameter} holds {wrong[:80]!r}: ids have 4 to 64 letters, digits, dots, underscores or hyphens, "
            "and are joined by commas"
        )
    if len(ids) > _MOST_IDS:
        raise InvalidRequest(f"{parameter} holds {len(ids)} ids; at most {_MOST_IDS} are allowed")
    return ids
