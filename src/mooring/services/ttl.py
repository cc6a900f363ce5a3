"""How long a deployment may live."""

import re
from datetime import timedelta

from mooring.errors import InvalidRequest

_FORM = re.compile(r"([0-9]+)([mMhHdD])", re.ASCII)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
SHORTEST = timedelta(minutes=10)
LONGEST = timedelta(days=365_000)
"""There is no upper limit: what is longer counts as this, because moments end with the year 9999."""


def parse(ttl: str) -> timedelta:
    """`"2h"` as a duration. Raises InvalidRequest for another form, and for less than ten minutes."""
    match = _FORM.fullmatch(ttl)
    if not match:
        raise InvalidRequest(f"ttl {ttl[:40]!r} is not a duration: write a number and m, h or d, as in 90m, 2h or 7d")
    unit = _UNITS[match[2].lower()]
    lifetime = min(int(match[1]), LONGEST // unit) * unit
    if lifetime < SHORTEST:
        raise InvalidRequest(f"ttl {ttl!r} is too short: 10m is the least")
    return lifetime
