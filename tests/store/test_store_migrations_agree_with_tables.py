"""The schema that migrations make is the schema that the code uses, and an upgrade is safe to repeat."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, inspect, text
from sqlalchemy.exc import DBAPIError

from mooring.store import migrate
from mooring.store.database import Database
from mooring.store.tables import Base


def test_migrations_make_what_the_models_describe(database: Database) -> None:
    migrate.upgrade(database)
    with database.reading() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_an_upgraded_store_knows_its_version(database: Database) -> None:
    migrate.upgrade(database)
    with database.reading() as session:
        assert migrate.current_version(session.connection()) == migrate.latest_version()


def test_upgrading_again_changes_nothing_and_is_quick(database: Database) -> None:
    migrate.upgrade(database)
    statements = list[str]()
    event.listen(database.engine, "before_cursor_execute", lambda _c, _u, statement, *_: statements.append(statement))
    started = time.thread_time()
    migrate.upgrade(database)
    assert time.thread_time() - started < 0.5, "an upgrade with nothing to do must not load the migrations"
    assert statements
    assert not [each for each in statements if not each.lstrip().startswith(("SELECT", "PRAGMA", "BEGIN"))]


def test_several_processes_may_upgrade_at_once(database: Database) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    others = [Database(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate.upgrade, others))
    for other in others:
        other.close()
    with database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1


def test_a_store_of_a_newer_version_is_refused(database: Database) -> None:
    migrate.upgrade(database)
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(migrate.UnknownSchema, match=r"9999.*start the newer Mooring"):
        migrate.upgrade(database)


def test_a_failed_upgrade_leaves_nothing_behind(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("CREATE TABLE replicas (id TEXT)"))  # in the way of the last step
    with pytest.raises(DBAPIError, match="already exists"):
        migrate.upgrade(database)
    with database.reading() as session:
        assert inspect(session.connection()).get_table_names() == ["replicas"]
