"""Transactions keep what was read true until it is written; readers never wait for writers."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from mooring.store import migrate
from mooring.store.database import Database
from mooring.store.tables import ResourceGroup


@pytest.fixture(autouse=True)
def _schema(database: Database) -> None:
    migrate.upgrade(database)


def test_what_raises_is_rolled_back(database: Database) -> None:
    with pytest.raises(LookupError):
        _write_half(database)
    with database.reading() as session:
        assert session.get(ResourceGroup, "half-done") is None


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    with database.transaction() as writer:
        writer.add(ResourceGroup(id="not-yet"))
        writer.flush()
        with ThreadPoolExecutor(1) as pool:
            seen = pool.submit(_exists, database, "not-yet").result(timeout=5)
    assert not seen
    assert _exists(database, "not-yet")


def test_concurrent_changes_of_one_row_all_count(database: Database) -> None:
    with database.transaction() as session:
        session.add(ResourceGroup(id="counted"))

    def add_label(number: int) -> None:
        with database.transaction() as session:
            group = session.get_one(ResourceGroup, "counted")
            group.labels = [*group.labels, {"key": str(number), "value": ""}]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_label, range(40)))
    with database.reading() as session:
        assert len(session.get_one(ResourceGroup, "counted").labels) == 40


def _write_half(database: Database) -> None:
    with database.transaction() as session:
        session.add(ResourceGroup(id="half-done"))
        session.flush()
        raise LookupError


def _exists(database: Database, group: str) -> bool:
    with database.reading() as session:
        return session.get(ResourceGroup, group) is not None
