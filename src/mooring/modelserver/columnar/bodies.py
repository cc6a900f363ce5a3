"""What can be told about a body of JSON before it is read, or beside it."""

import numpy as np

_FEW_BYTES = 1024
_MANY_BYTES = 4096
_RECORDS = b'"dataframe_records"'


def are_objects_quicker(body: bytes) -> bool:
    """Whether it had better be made Python objects than given to simdjson: it is short, or has an object per row."""
    return len(body) < _FEW_BYTES or body.find(_RECORDS, 0, 64) >= 0


def count_lists(body: bytes) -> int:
    """How many arrays it has; more when texts in it have brackets, never fewer."""
    if len(body) < _MANY_BYTES:
        return body.count(b"[")
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == ord("[")))  # quicker, once it is long
