"""How a store would answer a query."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from mooring.store.database import Database

_DETOURS = ("seqscan", "bitmapscan", "sort")


def plan_of(database: Database, ask: Callable[[Session], object], *, detours: Sequence[str] = _DETOURS) -> str:
    """The plan for the last query of this, in small letters; a condition that an index answers is `column=`.

    PostgreSQL finds `detours` cheap where there are few rows: forbidden, they remain where nothing else is possible.
    """
    with _statements(database) as seen, database.reading() as session:
        ask(session)
    statement, parameters = seen[-1]
    with database.engine.connect() as connection:
        if database.engine.dialect.name == "sqlite":
            found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return "\n".join(row[3] for row in found).lower()
        for detour in detours:
            connection.exec_driver_sql(f"SET LOCAL enable_{detour} = off")
        found = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        return _condensed([row[0] for row in found])


def reads_all(plan: str, table: str) -> bool:
    """Whether the whole table is read, or a whole index of it."""
    return f"scan {table}" in plan or f"seq scan on {table}" in plan


@contextmanager
def _statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        seen.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def _condensed(lines: Sequence[str]) -> str:
    """Without what no index answers; `((name)::text = 'x')` becomes `name='x'`."""
    kept = [line.strip().lower() for line in lines if not line.strip().startswith("Filter:")]
    return "\n".join(kept).replace("::text", "").replace("(", "").replace(")", "").replace(" = ", "=")
