"""JSON as Python's own parser reads it, at orjson's speed where the two agree."""

import json
import re
from typing import Any

import orjson

from mooring.modelserver.errors import InvalidInput

# orjson makes a float of an integer beyond 64 bits; MLflow's parser keeps it exact (and then refuses it).
_MAYBE_HUGE = re.compile(rb"\d{19}")


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; NaN and Infinity are taken, as MLflow does. Raises InvalidInput."""
    value = _parse(body)
    if isinstance(value, dict):
        return value
    kind = "a list" if isinstance(value, list) else f"a {type(value).__name__}"
    raise InvalidInput(f"the body must be a JSON object, got {kind if value is not None else 'null'}")


def _parse(body: bytes) -> Any:
    if not _MAYBE_HUGE.search(body):
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            pass  # stricter than Python's parser, which decides
    try:
        return json.loads(body)
    except RecursionError:
        raise InvalidInput("the body is not usable JSON: it is nested too deeply") from None
    except ValueError as error:  # JSONDecodeError, UnicodeDecodeError, too many digits
        raise InvalidInput(f"the body is not valid JSON: {error}") from None
