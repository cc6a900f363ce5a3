"""How long a deployment may live."""

import re
from datetime import timedelta

from mooring.errors import InvalidRequest

_FORM = re.compile(r"([0-9]{1,8})([mMhHdD])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
SHORTEST = timedelta(minutes=10)
LONGEST = timedelta(days=3650)


def parse(ttl: str) -> timedelta:
    """`"2h"` as a duration. Raises InvalidRequest for another form, and outside of 10 minutes to ten years."""
    match = _FORM.fullmatch(ttl)
    if not match:
        raise InvalidRequest(f"ttl {ttl[:40]!r} is not a duration: write a number and m, h or d, as in 90m, 2h or 7d")
    lifetime = int(match[1]) * _UNITS[match[2].lower()]
    if not SHORTEST <= lifetime <= LONGEST:
        raise InvalidRequest(f"ttl {ttl!r} is out of range: 10m to {LONGEST.days}d are allowed")
    return lifetime
