"""SQLite as the store: one file in the home."""

from typing import Any

from sqlalchemy import URL, Engine, create_engine, event

READ_ONLY = {"mooring_read_only": True}
"""Execution options of a connection that does not write: the write lock is not taken."""
_BUSY_SECONDS = 15
_OVERFLOW = 60
"""More than the threads that handle requests and the controllers together: nobody waits for a connection."""


def create(url: URL) -> Engine:
    """An engine whose transactions take the write lock at once."""
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, max_overflow=_OVERFLOW, hide_parameters=True)
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin_transaction)
    return engine


def _prepare_connection(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, below
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    # SQLite's own lower() knows ASCII only; PostgreSQL's, and a search regardless of case, know all letters.
    connection.create_function("lower", 1, _lower, deterministic=True)


def _begin_transaction(connection: Any) -> None:
    read_only = connection.get_execution_options().get("mooring_read_only", False)
    # A deferred transaction that turns into a writer cannot wait for the lock; an immediate one can.
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()
