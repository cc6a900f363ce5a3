"""Which part of a list."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select

DEFAULT_TOP = 10_000
HIGHEST_TOP = 100_000


@dataclass(frozen=True)
class Page:
    """At most `top` items after the first `skip`."""

    top: int = DEFAULT_TOP
    skip: int = 0

    def of(self, query: Select[Any]) -> Select[Any]:
        """The query for this part of what the given one would find."""
        return query.limit(self.top).offset(self.skip)
