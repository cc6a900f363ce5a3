"""What all tables share. A column's meaning is the AI API's field of the same name unless a comment says more."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, MetaData, String
from sqlalchemy.orm import DeclarativeBase

from mooring.store.types import UtcDateTime

Labels = list[dict[str, str]]
"""`[{"key": …, "value": …}]`"""
Bindings = list[dict[str, str]]
"""`[{"key": …, "value": …}]` for parameters, `[{"key": …, "artifactId": …}]` for input artifacts."""


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
