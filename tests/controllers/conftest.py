"""A real store with one deployment in it."""

from pathlib import Path

import pytest

from mooring.services import catalog
from mooring.store.database import Database
from mooring.store.tables import Configuration, Deployment, Revision
from tests.controllers.job_yard import PlayedRuntime, PlayedTransfers, Yard


@pytest.fixture
def database(migrated_store: Database) -> Database:
    with migrated_store.transaction() as session:
        catalog.install(session)
    return migrated_store


@pytest.fixture
def deployment_id(database: Database) -> str:
    """Just created: one revision that starts."""
    with database.transaction() as session:
        session.add(
            Configuration(
                id="c1",
                resource_group="default",
                name="c1",
                scenario_id="mooring",
                executable_id="model-server",
                parameter_bindings=[{"key": "modelUri", "value": "models:/wine/1"}],
                input_artifact_bindings=[],
            )
        )
        session.flush()
        spec = {"kind": "model-server", "model_uri": "models:/wine/1", "model_name": "wine"}
        session.add(
            Deployment(
                id="d1",
                resource_group="default",
                configuration_id="c1",
                configuration_name="c1",
                scenario_id="mooring",
                executable_id="model-server",
                status="UNKNOWN",
                target_status="RUNNING",
                last_operation="CREATE",
                model_name="wine",
                revisions=[
                    Revision(
                        id="v1",
                        number=1,
                        configuration_id="c1",
                        spec={**spec, "model_version": "1", "resource_plan": "starter"},
                        state="starting",
                    )
                ],
            )
        )
    return "d1"


@pytest.fixture
def yard(database: Database, tmp_path: Path) -> Yard:
    return Yard(database, tmp_path, PlayedRuntime(), PlayedTransfers(tmp_path / "objects"))
