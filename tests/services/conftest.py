"""A store with what every installation has."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from mooring.services import catalog, configurations
from mooring.services.configurations import NewConfiguration
from mooring.services.resource_groups import DEFAULT_GROUP
from mooring.store.database import Database


@pytest.fixture
def database(migrated_store: Database) -> Database:
    with migrated_store.transaction() as session:
        catalog.install(session)
    return migrated_store


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.transaction() as opened:
        yield opened


@pytest.fixture
def first(session: Session) -> str:
    return configure(session, "models:/wine/1")


@pytest.fixture
def second(session: Session) -> str:
    return configure(session, "models:/wine/2")


def configure(session: Session, model_uri: str) -> str:
    new = NewConfiguration(
        name=model_uri.replace("/", " "),
        scenario_id="mooring",
        executable_id="model-server",
        parameter_bindings=[{"key": "modelUri", "value": model_uri}],
    )
    return configurations.create(session, DEFAULT_GROUP, new).id
