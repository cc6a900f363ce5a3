"""PostgreSQL as the store, for several control planes."""

from dataclasses import dataclass

from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.orm import Session

READ_ONLY = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""Execution options of a connection that does not write: all of its queries see one moment."""
_WRITE_LOCK = 7_203_601_145_001
"""Any number will do, as long as every Mooring uses the same."""
_KEPT_CONNECTIONS = 5
_PROBE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""A server that has vanished without a word (its machine is gone) is noticed within about a minute."""


@dataclass(frozen=True)
class Limits:
    """How long the store may take, in seconds, and how many connections one control plane may have."""

    connect_seconds: float = 5.0
    statement_seconds: float = 30.0
    connections: int = 60


def create(url: URL, limits: Limits) -> Engine:
    """An engine that never waits for ever; a connection that the server has ended is replaced before it is used."""
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={**_connect_arguments(limits), **url.query},
        pool_pre_ping=True,
        pool_size=min(_KEPT_CONNECTIONS, limits.connections),
        max_overflow=max(0, limits.connections - _KEPT_CONNECTIONS),
        pool_timeout=limits.statement_seconds,
        hide_parameters=True,
    )


def take_write_lock(session: Session) -> None:
    """Held until the end of the transaction. The queries after it see what the writers before have written."""
    session.execute(text(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})"))


def allow_long_statements(session: Session) -> None:
    """In this transaction: migrating a large table takes what it takes."""
    session.execute(text("SET LOCAL statement_timeout = 0"))


def _connect_arguments(limits: Limits) -> dict[str, object]:
    milliseconds = int(limits.statement_seconds * 1000)
    settings = {
        "statement_timeout": milliseconds,
        # Who holds the write lock and says nothing more (a paused process) is cut off while the others still wait.
        "idle_in_transaction_session_timeout": milliseconds // 2,
        "jit": "off",  # our queries are small
        "timezone": "UTC",  # in another, the first and the last moments that can be written cannot be read
    }
    return {
        "connect_timeout": max(2, round(limits.connect_seconds)),  # libpq takes whole seconds, and 1 for 2
        "application_name": "mooring",
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        **_PROBE,
    }
