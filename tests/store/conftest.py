"""A database of one test, on each kind of store."""

from collections.abc import Iterator

import pytest

from mooring.store.database import Database


@pytest.fixture
def database(empty_store: str) -> Iterator[Database]:
    opened = Database(empty_store)
    yield opened
    opened.close()
