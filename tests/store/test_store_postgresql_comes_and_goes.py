"""A PostgreSQL that is away is said to be away, and is used again as soon as it is back; nothing waits for ever."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mooring.store.database import Database, UnknownStore, kind_of
from mooring.store.postgresql import Limits
from mooring.store.tables import ResourceGroup
from tests import postgresql as programs
from tests.postgresql import PASSWORD, Postgresql, own_server

SECRET_URL = "postgresql://u:very-secret@"


@pytest.fixture(scope="module")
def own() -> Iterator[Postgresql]:
    if programs.programs() is None:
        pytest.skip("PostgreSQL is not on this machine")
    with own_server() as server:
        yield server


@pytest.fixture
def database(own: Postgresql) -> Iterator[Database]:
    opened = Database(own.new_database(), Limits(connect_seconds=2, statement_seconds=1, connections=5))
    yield opened
    opened.close()


def count(database: Database) -> int:
    with database.reading() as session:
        return session.query(ResourceGroup).count()


def test_it_is_used_again_as_soon_as_it_is_back(own: Postgresql, database: Database) -> None:
    assert count(database) == 0
    own.stop()
    for _ in range(3):
        with pytest.raises(OperationalError) as raised:
            count(database)
        assert PASSWORD not in str(raised.value)
    own.start()
    assert count(database) == 0, "the first query works: dead connections are not handed out"
    with database.transaction() as session:
        session.add(ResourceGroup(id="after"))
    assert count(database) == 1


def test_a_writer_does_not_wait_for_ever_for_another(own: Postgresql, database: Database) -> None:
    patient = Database(database.engine.url.render_as_string(hide_password=False), Limits(statement_seconds=60))
    with patient.transaction(), pytest.raises(OperationalError, match="timeout"):
        add_group(database)
    add_group(database)
    patient.close()


def test_a_writer_that_says_nothing_more_is_cut_off(database: Database) -> None:
    silent, heard = threading.Event(), threading.Event()

    def hold() -> None:
        with database.transaction() as session:
            session.add(ResourceGroup(id="half"))
            session.flush()
            silent.set()
            heard.wait(10)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(hold)
        silent.wait(10)
        deadline = time.monotonic() + 10
        while not succeeds(database):
            assert time.monotonic() < deadline, "the lock was never given back"
        heard.set()
        with pytest.raises((OperationalError, InternalError)):
            held.result(10)
    with database.reading() as session:
        assert session.get(ResourceGroup, "half") is None


def test_a_query_has_an_end(database: Database) -> None:
    with database.reading() as session, pytest.raises(OperationalError, match="timeout"):
        session.execute(text("SELECT pg_sleep(20)"))


def test_the_number_of_connections_has_one_too(database: Database) -> None:
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(database.engine.connect())
        with pytest.raises(PoolTimeoutError):
            count(database)
    assert count(database) == 0


def test_a_reader_cannot_write(database: Database) -> None:
    with database.reading() as session, pytest.raises(DBAPIError, match="read-only"):
        session.execute(text("DELETE FROM resource_groups"))


def test_what_is_written_does_not_show_in_errors(database: Database) -> None:
    add_group(database)
    with pytest.raises(DBAPIError) as raised:
        add_group(database)
    assert "secret-value" not in str(raised.value).replace("Key (id)=(secret-value)", "")


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("postgresql://u:p@h/d", "postgresql"),
        ("postgres://u:p@h/d", "postgresql"),
        ("postgresql+psycopg://u:p@h/d", "postgresql"),
        ("postgresql+asyncpg://u:p@h/d", "postgresql"),
        ("sqlite:////tmp/x.db", "sqlite"),
    ],
)
def test_urls_that_name_a_store(url: str, kind: str) -> None:
    assert kind_of(url) == kind


@pytest.mark.parametrize("url", [f"mysql{SECRET_URL[10:]}h/d", "very-secret", f"{SECRET_URL}h:port/d", ""])
def test_other_urls_are_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(UnknownStore, match="postgresql://") as raised:
        kind_of(url)
    assert "very-secret" not in str(raised.value)
    assert raised.value.__cause__ is None


def add_group(database: Database) -> None:
    with database.transaction() as session:
        session.add(ResourceGroup(id="secret-value"))


def succeeds(database: Database) -> bool:
    try:
        with database.transaction():
            return True
    except OperationalError:
        return False


def test_moments_are_read_in_utc_whatever_the_server_prefers(own: Postgresql) -> None:
    url = own.new_database()
    other = Database(url)
    with other.transaction() as session:
        name = session.scalar(text("SELECT current_database()"))
        session.execute(text(f"ALTER DATABASE \"{name}\" SET timezone TO 'Asia/Tokyo'"))
    other.close()
    database = Database(url)
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    with database.transaction() as session:
        session.add(ResourceGroup(id="late", created_at=last))
    with database.reading() as session:
        assert session.get_one(ResourceGroup, "late").created_at == last
    database.close()
