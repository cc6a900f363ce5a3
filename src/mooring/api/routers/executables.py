"""Executables of a scenario."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from mooring.api import answers
from mooring.api.dependencies import Context, ExecutableId, Group, ScenarioId
from mooring.api.presenters import catalog as present
from mooring.api.schemas import catalog as shapes
from mooring.services import executables

router = APIRouter(prefix="/v2/lm/scenarios/{scenarioId}/executables", tags=["Executable"])
Version = Annotated[str | None, Query(alias="versionId", max_length=255, pattern=r"^[^\x00]+$")]


@router.get("", response_model=shapes.ExecutableList)
def list_executables(context: Context, _group: Group, scenario_id: ScenarioId, version_id: Version = None) -> Response:
    """The executables of a scenario."""
    with context.database.reading() as session:
        found = executables.list_of(session, scenario_id, version_id)
    return answers.listing(map(present.executable, found))


@router.get("/{executableId}", response_model=shapes.Executable)
def get_executable(context: Context, _group: Group, scenario_id: ScenarioId, executable_id: ExecutableId) -> Response:
    """One executable."""
    with context.database.reading() as session:
        found = executables.get(session, scenario_id, executable_id)
    return answers.json(present.executable(found))
