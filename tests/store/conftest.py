"""A database of one test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mooring.store.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'mooring.db'}")
    yield opened
    opened.close()
