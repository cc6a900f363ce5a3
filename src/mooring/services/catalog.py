"""What every installation has from its first start: the resource group `default` and the built-in executable."""

from typing import Any

from sqlalchemy.orm import Session

from mooring.services.resource_groups import DEFAULT_GROUP
from mooring.store.tables import Executable, ResourceGroup, Scenario
from mooring.store.types import utc_now
from mooring.templates import model_server


def install(session: Session) -> None:
    """Make what is missing and bring up to date what an older version made. Changes nothing when all is there."""
    if session.get(ResourceGroup, DEFAULT_GROUP) is None:
        session.add(ResourceGroup(id=DEFAULT_GROUP))
    _keep(
        session,
        Scenario(
            id=model_server.SCENARIO_ID,
            name=model_server.SCENARIO_NAME,
            description=model_server.SCENARIO_DESCRIPTION,
            labels=[],
        ),
        ("name", "description"),
    )
    _keep(
        session,
        Executable(
            id=model_server.EXECUTABLE_ID,
            scenario_id=model_server.SCENARIO_ID,
            name=model_server.EXECUTABLE_NAME,
            description=model_server.EXECUTABLE_DESCRIPTION,
            version_id=model_server.VERSION_ID,
            deployable=True,
            labels=[],
            parameters=[parameter.to_json() for parameter in model_server.PARAMETERS],
            input_artifacts=[],
            output_artifacts=[],
        ),
        ("name", "description", "version_id", "parameters"),
    )


def _keep(session: Session, wanted: Scenario | Executable, facts: tuple[str, ...]) -> None:
    existing: Any = session.get(type(wanted), wanted.id)
    if existing is None:
        session.add(wanted)
        session.flush()
        return
    changed = [fact for fact in facts if getattr(existing, fact) != getattr(wanted, fact)]
    for fact in changed:
        setattr(existing, fact, getattr(wanted, fact))
    if changed:
        existing.modified_at = utc_now()
