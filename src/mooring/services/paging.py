"""Which part of a list. Lists are sorted newest first, and by id among those of one moment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

DEFAULT_TOP = 10_000
HIGHEST_TOP = 100_000

ListedRow = Row[*tuple[Any, ...]]
"""What lists consist of: no object of the session, only the columns that are shown, under their names."""


@dataclass(frozen=True)
class Place:
    """Where in a list an item stands."""

    created_at: datetime
    id: str


@dataclass(frozen=True)
class Page:
    """At most `top` items after the first `skip` of those that stand behind `after`."""

    top: int = DEFAULT_TOP
    skip: int = 0
    after: Place | None = None

    def of(
        self,
        query: Select[*tuple[Any, ...]],
        created_at: InstrumentedAttribute[datetime],
        identifier: InstrumentedAttribute[str],
    ) -> Select[*tuple[Any, ...]]:
        """The query for this part of what the given one would find.

        Nothing is sorted when an index has what the query filters by, then `created_at`, then the id.
        """
        if self.after is not None:
            query = query.where(tuple_(created_at, identifier) < (self.after.created_at, self.after.id))
        return query.order_by(created_at.desc(), identifier.desc()).limit(self.top).offset(self.skip)

    def beginning(self, most: int) -> "Page":
        """The first `most` items of this page."""
        return replace(self, top=min(self.top, most))

    def rest(self, read: Sequence[ListedRow]) -> "Page":
        """What is left of this page behind the rows that have been read; they have `created_at` and `id`."""
        last = read[-1]
        return Page(self.top - len(read), after=Place(last.created_at, last.id))
