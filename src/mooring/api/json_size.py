"""How many values a JSON text has, counted while it comes and without it being read."""

import re

from starlette.exceptions import HTTPException

# None of these ever steps back: hostile text is passed once, like any other.
_WHOLE_TEXTS = re.compile(rb'(?:[^"]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+', re.DOTALL)
"""Up to a text that does not end."""
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_UNENDED = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)


class JsonSize:
    """Raises HTTPException(413) as soon as there are too many values."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values = 0
        self._open = b""
        """How the text begins (or goes on) that the last part has left without an end."""

    def add(self, part: bytes) -> None:
        """The next part of the text."""
        self._values += _values_in(self._outside_texts(part))
        if self._values > self._most:
            # The framework lets this class through from where it reads a body.
            raise HTTPException(413, f"the body has more than the {self._most} values that are allowed")

    def _outside_texts(self, part: bytes) -> bytes:
        if b"\0" in part:
            return part  # no UTF-8, but maybe UTF-16, whose texts are not found in this way
        known = self._open + part
        end = _end_of(_WHOLE_TEXTS, known)
        unended = known[end:]
        self._open = b"" if not unended else b'"' if _end_of(_UNENDED, unended) == len(unended) else b'"\\'
        return _TEXT.sub(b"", known[:end])


def _values_in(part: bytes) -> int:
    """Each is behind a comma, or the first of its list or object."""
    return part.count(b",") + part.count(b"[") + part.count(b"{")


def _end_of(pattern: re.Pattern[bytes], text: bytes) -> int:
    match = pattern.match(text)
    return match.end() if match else 0
