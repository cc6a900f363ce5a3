"""Values that travel in Base64, and what may be said about a wrong one: its key, never the value."""

import base64
import binascii
from collections.abc import Mapping

from mooring.errors import InvalidRequest

_LINE_ENDS = str.maketrans("", "", "\r\n")


def check(data: Mapping[str, str]) -> None:
    """Raises InvalidRequest, naming the first key whose value is no Base64."""
    for key, value in data.items():
        try:
            decode(value)
        except (binascii.Error, ValueError):
            # The cause would carry the value into a traceback.
            raise InvalidRequest(
                f"data[{key[:80]!r}] is no Base64: encode the value first, as `printf %s VALUE | base64` does"
            ) from None


def decode(value: str) -> bytes:
    """The content. Ends of lines, as `base64` makes them, are passed over. Raises ValueError (binascii.Error)."""
    return base64.b64decode(value.translate(_LINE_ENDS), validate=True)
