"""Scenarios: what executables are grouped by. They come from templates; nobody creates them by hand."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mooring.errors import NotFound
from mooring.services import labels
from mooring.store.tables import Executable, Scenario


@dataclass(frozen=True)
class Version:
    """A version of a scenario, taken from its executables."""

    id: str
    scenario_id: str
    description: str
    created_at: datetime
    modified_at: datetime


def list_all(session: Session) -> Sequence[Scenario]:
    """All scenarios, newest first."""
    return session.scalars(select(Scenario).order_by(Scenario.created_at.desc(), Scenario.id.desc())).all()


def get(session: Session, scenario_id: str) -> Scenario:
    """Raises NotFound."""
    found = session.get(Scenario, scenario_id)
    if found is None:
        raise NotFound(f"there is no scenario {scenario_id!r}: GET /v2/lm/scenarios lists them")
    return found


def by_id(session: Session, ids: Collection[str]) -> dict[str, Scenario]:
    """Those of the given scenarios that exist, in one query."""
    if not ids:
        return {}
    rows = session.scalars(select(Scenario).where(Scenario.id.in_(ids)))
    return {row.id: row for row in rows}


def versions(session: Session, scenario_id: str, selectors: Sequence[labels.Selector]) -> list[Version]:
    """The distinct versions of its executables, newest first. Raises NotFound."""
    scenario = get(session, scenario_id)
    rows = session.scalars(select(Executable).where(Executable.scenario_id == scenario_id))
    found: dict[str, list[Executable]] = {}
    for row in rows:
        if labels.hold(selectors, row.labels):
            found.setdefault(row.version_id, []).append(row)
    made = [_version(version_id, scenario, members) for version_id, members in found.items()]
    return sorted(made, key=lambda version: version.created_at, reverse=True)


def _version(version_id: str, scenario: Scenario, members: Sequence[Executable]) -> Version:
    return Version(
        id=version_id,
        scenario_id=scenario.id,
        description=scenario.description,
        created_at=min(member.created_at for member in members),
        modified_at=max(member.modified_at for member in members),
    )
