"""Alembic's entry: runs migrations on the connection, and in the transaction, that `mooring.store.migrate` opened."""

from typing import Any, Literal

from alembic import context

from mooring.store.tables import Base
from mooring.store.types import UtcDateTime


def _render(kind: str, item: object, _autogenerate: Any) -> str | Literal[False]:
    """A migration keeps what was true when it was written: it does not import types of ours, which may change."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite cannot alter a column; batch mode copies the table instead
    render_item=_render,
)
context.run_migrations()
