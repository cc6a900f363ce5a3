"""The two kinds of stores that everything has to work with."""

import functools
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx._config as httpx_config
import httpx._transports.default as httpx_transport
import pytest

from mooring.store import migrate
from mooring.store.database import Database
from tests import postgresql as postgresql_server
from tests.postgresql import Postgresql

STORES = ("sqlite", "postgresql")

# Each client reads all certificates of the machine, 28 ms of a processor, and tests make thousands of clients.
httpx_transport.create_ssl_context = functools.cache(httpx_transport.create_ssl_context)  # type: ignore[attr-defined]
# Five seconds are too few where dozens of processes share two cores; whoever measures says so.
for _part in ("connect", "read", "write", "pool"):
    setattr(httpx_config.DEFAULT_TIMEOUT_CONFIG, _part, 60.0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones first: they mostly wait for processes, while other workers do what takes a core."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Postgresql:
    """A real server, shared by all tests of the session; each takes databases of its own from it."""
    if postgresql_server.programs() is None:
        pytest.skip("PostgreSQL is not on this machine: `apt-get install postgresql`, or `make setup` as root")
    base = tmp_path_factory.getbasetemp()
    in_worker = base.name.startswith("popen-")
    return postgresql_server.shared_server(base.parent if in_worker else base)


@pytest.fixture(params=STORES)
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a store without a table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'mooring.db'}"
        return
    server: Postgresql = request.getfixturevalue("postgresql")
    url = server.new_database(migrated=False)
    yield url
    server.drop(url)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store with all tables and no row, to be copied: making one takes as long as twenty tests."""
    path = tmp_path_factory.mktemp("store") / "migrated.db"
    database = Database(f"sqlite:///{path}")
    migrate.upgrade(database)
    database.close()
    return path


@pytest.fixture(params=STORES)
def migrated_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A store with all tables and no row."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("migrated_file"), tmp_path / "mooring.db")
        database = Database(f"sqlite:///{tmp_path / 'mooring.db'}")
        yield database
        database.close()
        return
    server: Postgresql = request.getfixturevalue("postgresql")
    url = server.new_database()
    database = Database(url)
    yield database
    database.close()
    server.drop(url)


@pytest.fixture(scope="session", params=STORES)
def session_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a store without a table, for all tests of a worker."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('store') / 'mooring.db'}"
        return
    server: Postgresql = request.getfixturevalue("postgresql")
    url = server.new_database(migrated=False)
    yield url
    server.drop(url)
