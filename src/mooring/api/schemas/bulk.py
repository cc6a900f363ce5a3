"""Bulk changes: many objects of one kind stopped or deleted in one request."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mooring.api.schemas.common import Error, Id, Shape


class BulkItem(Shape):
    """One object to stop or to delete."""

    id: Id
    target_status: Literal["STOPPED", "DELETED"]


class BulkRefusal(Shape):
    """Why one item was refused; an accepted one has a message instead."""

    id: str
    error: Error


def _each_once(items: list[BulkItem]) -> list[BulkItem]:
    if len({item.id for item in items}) < len(items):
        raise ValueError("must name each id once")
    return items


BulkItems = Annotated[list[BulkItem], Field(min_length=1, max_length=100), AfterValidator(_each_once)]
"""Up to a hundred."""
