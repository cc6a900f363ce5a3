"""Executables: what configurations configure."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from mooring.errors import NotFound
from mooring.services import scenarios
from mooring.store.tables import Executable


def list_of(session: Session, scenario_id: str, version_id: str | None = None) -> Sequence[Executable]:
    """The executables of a scenario (of one version, when given), newest first. Raises NotFound."""
    scenarios.get(session, scenario_id)
    query = select(Executable).where(Executable.scenario_id == scenario_id)
    if version_id is not None:
        query = query.where(Executable.version_id == version_id)
    return session.scalars(query.order_by(Executable.created_at.desc(), Executable.id.desc())).all()


def get(session: Session, scenario_id: str, executable_id: str) -> Executable:
    """Raises NotFound."""
    found = find(session, scenario_id, executable_id)
    if found is None:
        raise NotFound(
            f"the scenario {scenario_id!r} has no executable {executable_id!r}: "
            f"GET /v2/lm/scenarios/{scenario_id}/executables lists them"
        )
    return found


def find(session: Session, scenario_id: str, executable_id: str) -> Executable | None:
    """The executable of this scenario, or None."""
    found = session.get(Executable, executable_id)
    return found if found is not None and found.scenario_id == scenario_id else None
