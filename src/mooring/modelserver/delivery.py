"""How a request came here, in the words of the gateway: the same request can come to several replicas in turn."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mooring.modelserver.journal import SLOT_BYTES

_REQUEST = b"x-mooring-request-id"
_ATTEMPT = b"x-envoy-attempt-count"
_SOUND = re.compile(rb"[!-~]{1,%d}" % SLOT_BYTES)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One try to have one request answered.

    `request` is made by the gateway, one per request, the same over all tries; both headers are its own and taken
    away from whoever sends them from outside. The caller's `x-request-id` would not do: callers choose it, and one
    who knows or guesses another's could have that one's request refused by sending a deadly one under the same id.
    """

    request: bytes
    is_repeated: bool

    @staticmethod
    def of(headers: Iterable[tuple[bytes, bytes]]) -> "Delivery | None":
        """From the (lower-case) headers; None when no gateway has named the request, or not by a sound name."""
        request, attempt = b"", b"1"
        for name, value in headers:
            if name == _REQUEST:
                request = value
            elif name == _ATTEMPT:
                attempt = value
        return Delivery(request, attempt != b"1") if _SOUND.fullmatch(request) else None
