"""Bodies parsed by simdjson, whose arrays of numbers become NumPy arrays without a Python object per number."""

import threading

import simdjson

_KEPT_BYTES = 4 * 2**20
"""Up to this size a thread's parser is used again: it keeps up to twelve times the largest body it has seen."""

_own = threading.local()


def parse(body: bytes) -> "simdjson.Object | None":
    """The object in a body; None for whatever else it is. It must be let go of before this thread's next call.

    simdjson is stricter than Python's parser: what it refuses may be good all the same.
    """
    try:
        document = _parser(len(body)).parse(body)
    except (ValueError, RuntimeError):
        return None
    return document if isinstance(document, simdjson.Object) else None


def _parser(size: int) -> simdjson.Parser:
    if size > _KEPT_BYTES:
        return simdjson.Parser()
    parser: simdjson.Parser | None = getattr(_own, "parser", None)
    if parser is None:
        parser = _own.parser = simdjson.Parser()
    return parser
