"""What all tables share. A column's meaning is the AI API's field of the same name unless a comment says more."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, MetaData, String
from sqlalchemy.orm import DeclarativeBase

from mooring.store.types import UtcDateTime

Labels = list[dict[str, str]]
"""`[{"key": …, "value": …}]`"""
Bindings = list[dict[str, str]]
"""`[{"key": …, "value": …}]` for parameters, `[{"key": …, "artifactId": …}]` for input artifacts."""


def indices_of_lists(*filters: str) -> tuple[Index, ...]:
    """What lists of one resource group need: one index for the whole list, and one for each column to filter by.

    The order of lists (`created_at`, then the id) is in each of them, so that a page is found without sorting and
    without reading what belongs to other groups.
    """
    order = ("created_at", "id")
    return (
        Index(None, "resource_group", *order),
        *(Index(None, "resource_group", column, *order) for column in filters),
    )


class Base(DeclarativeBase):
    """Maps Python types to columns, and names constraints so that migrations can refer to them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it from the class)
        datetime: UtcDateTime(),
        str: String(255),
        Labels: JSON(),
        dict[str, Any]: JSON(),
        list[dict[str, Any]]: JSON(),
        list[str]: JSON(),
    }
