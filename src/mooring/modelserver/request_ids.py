"""The id under which a request is found in logs and answers."""

import itertools
import secrets
from collections.abc import Iterable
from functools import cache

_LONGEST = 128
_numbers = itertools.count()


def request_id_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The caller's, when it can be put into a log line and a header as it is; else a new one."""
    for name, value in headers:
        if name == b"x-request-id":
            text = value.decode("latin-1")
            if 0 < len(text) <= _LONGEST and text.isascii() and text.isprintable() and " " not in text:
                return text
    return f"{_prefix()}{next(_numbers):012x}"


@cache
def _prefix() -> str:
    """Of this process; not made at import, as processes may be forked after that."""
    return secrets.token_hex(10)
