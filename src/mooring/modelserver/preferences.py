"""The headers `accept` and `accept-encoding`: what a caller takes, and how gladly."""

import re
from collections.abc import Sequence

_WEIGHT = re.compile(r"(0(\.\d{0,3})?|1(\.0{0,3})?)")
_MOST_ENTRIES = 64


def preferred(header: str, offered: Sequence[str]) -> str | None:
    """Of what is offered (best first), what the caller likes best; None when it takes none of it."""
    weights = _weights(header)
    best = max(offered, key=lambda name: _weight(name, weights))
    return best if _weight(best, weights) > 0 else None


def _weight(name: str, weights: dict[str, float]) -> float:
    """The most specific entry decides: the name, then `text/*`, then `*/*` or `*`."""
    family = f"{name.partition('/')[0]}/*"
    for key in (name, family, "*/*", "*"):
        if key in weights:
            return weights[key]
    # Not compressing is always possible, but never preferred to what was named.
    return 0.0001 if name == "identity" else 0.0


def _weights(header: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for entry in header.split(",")[:_MOST_ENTRIES]:
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        quality = next((part[2:].strip() for part in parameters if part.startswith("q=")), "1")
        weights[name] = float(quality) if _WEIGHT.fullmatch(quality) else 0.0
    return weights
