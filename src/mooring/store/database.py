"""The connection to the store, and its transactions."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session, sessionmaker

from mooring.store import postgresql, sqlite


class UnknownStore(ValueError):
    """The URL names no store that Mooring can use. The message does not repeat it: it may hold a password."""


class Database:
    """An engine and its sessions. Usable from many threads; a session belongs to one. Raises UnknownStore."""

    def __init__(self, url: str, limits: postgresql.Limits | None = None) -> None:
        self.engine = _create_engine(url, limits or postgresql.Limits())
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction: committed at the end of the block, rolled back when it raises.

        Writers go one after the other, on SQLite and on PostgreSQL alike: what was read still holds when it is
        written, and who looks whether a name is free gets it. No slow call (network, process) belongs inside.
        """
        with self._sessions() as session, session.begin():
            if self.kind == "postgresql":
                postgresql.take_write_lock(session)
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for queries only, which all see the same state; it waits for no writer."""
        options = postgresql.READ_ONLY if self.kind == "postgresql" else sqlite.READ_ONLY
        with self._sessions() as session:
            session.connection(execution_options=options)
            yield session

    def close(self) -> None:
        self.engine.dispose()


def kind_of(url: str) -> str:
    """What kind of store a URL names: `sqlite` or `postgresql`. Raises UnknownStore."""
    try:
        kind = make_url(_spelled_out(url)).get_backend_name()
    except (ArgumentError, ValueError):  # a port that is no number
        kind = ""
    if kind not in ("sqlite", "postgresql"):
        raise UnknownStore("the database URL has to begin with postgresql:// or with sqlite:///")
    return kind


def _create_engine(url: str, limits: postgresql.Limits) -> Engine:
    if kind_of(url) == "postgresql":
        return postgresql.create(make_url(_spelled_out(url)), limits)
    return sqlite.create(make_url(url))


def _spelled_out(url: str) -> str:
    """`postgres://` is what some hosts hand out for PostgreSQL."""
    return f"postgresql://{url.removeprefix('postgres://')}" if url.startswith("postgres://") else url
