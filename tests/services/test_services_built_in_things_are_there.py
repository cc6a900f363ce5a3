"""Every start finds or makes the built-in executable; what an older version left is brought up to date."""

from sqlalchemy.orm import Session

from mooring.services import catalog, executables, scenarios
from mooring.store.database import Database


def test_a_second_start_changes_nothing(database: Database) -> None:
    def seen() -> list[object]:
        with database.reading() as session:
            row = executables.get(session, "mooring", "model-server")
            return [row.created_at, row.modified_at, row.parameters, scenarios.get(session, "mooring").modified_at]

    before = seen()
    with database.transaction() as session:
        catalog.install(session)
    assert seen() == before


def test_what_an_older_version_left_is_brought_up_to_date(session: Session) -> None:
    row = executables.get(session, "mooring", "model-server")
    wanted, modified_at = row.parameters, row.modified_at
    row.parameters = []
    session.flush()
    catalog.install(session)
    assert row.parameters == wanted
    assert row.modified_at > modified_at


def test_modeluri_has_to_be_bound_and_the_rest_has_defaults(session: Session) -> None:
    parameters = executables.get(session, "mooring", "model-server").parameters
    assert {p["name"]: p.get("default") for p in parameters} == {
        "modelUri": None,
        "modelName": "",
        "resourcePlan": "starter",
    }
