"""Substring search that treats case alike on SQLite and PostgreSQL.

`LIKE` folds case on one and not on the other, and gives `%` and `_` a meaning that a search text must not have.
"""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Integer, String

_AnyColumn = ColumnElement[str] | Any


class _position(FunctionElement[int]):
    """Where the second text first occurs in the first, from 1; 0 when it does not."""

    type = Integer()
    inherit_cache = True
    name = "position"


class _lower(FunctionElement[str]):
    """The text in lower case, by the rules of Unicode."""

    type = String()
    inherit_cache = True
    name = "lower"


@compiles(_lower)
def _lower_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"lower({compiler.process(element.clauses, **options)})"


@compiles(_lower, "postgresql")
def _lower_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    # In a database that was made with the locale "C", its own rules end with ASCII.
    return f'lower({compiler.process(element.clauses, **options)} COLLATE "und-x-icu")'


@compiles(_position, "sqlite")
def _position_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@compiles(_position)
def _position_elsewhere(element: Any, compiler: Any, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


def contains(column: _AnyColumn, text: str, *, case_insensitive: bool) -> ColumnElement[bool]:
    """Whether the column holds this text, letter for letter or regardless of case."""
    if case_insensitive:
        return _position(_lower(column), text.lower()) > 0
    return _position(column, text) > 0
