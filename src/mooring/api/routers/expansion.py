"""`$expand=scenario`: the scenario object inside of what belongs to it."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from mooring.api.presenters import catalog
from mooring.services import scenarios


def with_scenarios(session: Session, items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The items, each with its scenario (null when it is gone); one query for all of them."""
    shown = [dict(item) for item in items]
    found = scenarios.by_id(session, {item["scenarioId"] for item in shown})
    embedded = {scenario_id: catalog.scenario(row) for scenario_id, row in found.items()}
    for item in shown:
        item["scenario"] = embedded.get(item["scenarioId"])
    return shown
