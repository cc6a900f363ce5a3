"""Names for what a client has not named: lower-case letters, digits and hyphens."""

import re
from collections.abc import Collection, Iterator
from itertools import count

_RUN_OF_OTHERS = re.compile(r"[^a-z0-9]+")
_SHORTEST = 3


def new_name(wish: str, taken: Collection[str], *, noun: str, longest: int) -> str:
    """A name of at least three characters that is like the wish and not taken; `noun` helps where nothing is left."""
    base = _RUN_OF_OTHERS.sub("-", wish.lower()).strip("-")
    if len(base) < _SHORTEST:
        base = f"{noun}-{base}".strip("-")
    return next(name for name in _candidates(base, longest) if name not in taken)


def _candidates(base: str, longest: int) -> Iterator[str]:
    yield base[:longest].rstrip("-")
    for number in count(2):
        end = f"-{number}"
        yield base[: longest - len(end)].rstrip("-") + end
