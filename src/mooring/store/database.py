"""The connection to the store, and its transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, sessionmaker

_SQLITE_BUSY_SECONDS = 15
_SQLITE_OVERFLOW = 60
"""More than the threads that handle requests and the controllers together: nobody waits for a connection."""


class Database:
    """An engine and its sessions. Usable from many threads; a session belongs to one."""

    def __init__(self, url: str) -> None:
        self.engine = _create_engine(url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction: committed at the end of the block, rolled back when it raises.

        On SQLite it takes the write lock at once, so that what was read still holds when it is written. No slow call
        (network, process) belongs inside.
        """
        with self._sessions() as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for queries only; SQLite's write lock is not taken."""
        with self._sessions() as session:
            session.connection(execution_options={"mooring_read_only": True})
            yield session

    def close(self) -> None:
        self.engine.dispose()


def _create_engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(
        url,
        connect_args={"timeout": _SQLITE_BUSY_SECONDS},
        max_overflow=_SQLITE_OVERFLOW,
    )
    event.listen(engine, "connect", _prepare_sqlite_connection)
    event.listen(engine, "begin", _begin_sqlite_transaction)
    return engine


def _prepare_sqlite_connection(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, below
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    # SQLite's own lower() knows ASCII only; PostgreSQL's, and a search regardless of case, know all letters.
    connection.create_function("lower", 1, _lower, deterministic=True)


def _begin_sqlite_transaction(connection: Any) -> None:
    read_only = connection.get_execution_options().get("mooring_read_only", False)
    # A deferred transaction that turns into a writer cannot wait for the lock; an immediate one can.
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()
