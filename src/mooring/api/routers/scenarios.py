"""Scenarios, their versions and models."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from mooring.api import answers
from mooring.api.comma_lists import split
from mooring.api.dependencies import Context, Group, ScenarioId
from mooring.api.presenters import catalog as present
from mooring.api.schemas import catalog as shapes
from mooring.services import labels, scenarios

router = APIRouter(prefix="/v2/lm/scenarios", tags=["Scenario"])


@router.get("", response_model=shapes.ScenarioList)
def list_scenarios(context: Context, _group: Group) -> Response:
    """All scenarios."""
    with context.database.reading() as session:
        found = scenarios.list_all(session)
    return answers.listing(map(present.scenario, found))


@router.get("/{scenarioId}", response_model=shapes.Scenario)
def get_scenario(context: Context, _group: Group, scenario_id: ScenarioId) -> Response:
    """One scenario."""
    with context.database.reading() as session:
        found = scenarios.get(session, scenario_id)
    return answers.json(present.scenario(found))


@router.get("/{scenarioId}/versions", response_model=shapes.VersionList)
def list_versions(
    context: Context,
    _group: Group,
    scenario_id: ScenarioId,
    label_selector: Annotated[list[str] | None, Query(alias="labelSelector")] = None,
) -> Response:
    """The versions of a scenario, taken from its executables."""
    selectors = labels.parse(split(label_selector) or [], parameter="labelSelector")
    with context.database.reading() as session:
        found = scenarios.versions(session, scenario_id, selectors)
    return answers.listing(map(present.version, found))


@router.get("/{scenarioId}/models", response_model=shapes.ModelList)
def list_models(_group: Group, scenario_id: ScenarioId) -> Response:  # noqa: ARG001 (any scenario has none)
    """Foundation models: there are none here."""
    return answers.listing([])
