"""Brings the schema of a store up to this version of Mooring.

The migrations are the files `migrations/versions/<number>_<what>.py`, applied in the order of their numbers; a
migration's revision id is its number. Alembic is imported only when there is something to do.
"""

from pathlib import Path
from typing import ClassVar

from sqlalchemy import Connection, inspect, text

from mooring.errors import MooringError
from mooring.store import postgresql
from mooring.store.database import Database

_MIGRATIONS = Path(__file__).parent / "migrations"


class UnknownSchema(MooringError):
    """The store was written by a version of Mooring that this one does not know."""

    status: ClassVar[int] = 500


def upgrade(database: Database) -> None:
    """Apply the migrations that are missing, in one transaction; quick when there are none.

    Raises UnknownSchema when the store is newer than this program. Several processes may do it at once: one works,
    the others wait for it.
    """
    with database.reading() as session:
        current = current_version(session.connection())
    _refuse_unknown(current)
    if current != latest_version():
        _apply(database)


def latest_version() -> str:
    """The schema that this version of Mooring works with."""
    return _known_versions()[-1]


def current_version(connection: Connection) -> str | None:
    """The schema that the store has; None for an empty store."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return version


def _known_versions() -> list[str]:
    return sorted(path.name.split("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def _refuse_unknown(version: str | None) -> None:
    if version is not None and version not in _known_versions():
        raise UnknownSchema(
            f"the store has schema {version!r}, this Mooring knows schemas up to {latest_version()!r}: "
            "start the newer Mooring that wrote it, or restore a backup made before that one ran"
        )


def _apply(database: Database) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with database.transaction() as session:
        if database.kind == "postgresql":
            postgresql.allow_long_statements(session)
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "head")
