"""Column types that behave the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, DateTime, Dialect, Text, cast
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always aware and in UTC; SQLite, which keeps no zone, gets it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone was given to the store")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonText(TypeDecorator[orjson.Fragment]):
    """JSON that is passed on as it was written, without being taken apart."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> orjson.Fragment | None:  # noqa: ARG002
        return None if value is None else orjson.Fragment(value)


def unparsed(column: InstrumentedAttribute[Any]) -> ColumnElement[orjson.Fragment]:
    """A JSON column, to be passed on in an answer, under its own name and without being taken apart."""
    return cast(column, JsonText()).label(column.key)


def utc_now() -> datetime:
    """Now, aware; the one clock of everything that is stored."""
    return datetime.now(UTC)
