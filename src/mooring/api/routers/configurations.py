"""Configurations."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from mooring.api import answers
from mooring.api.comma_lists import split_ids
from mooring.api.dependencies import (
    CaseInsensitive,
    ConfigurationId,
    Context,
    Expand,
    Group,
    PageOfList,
    ScenarioFilter,
    Search,
)
from mooring.api.long_lists import Rows, long_list
from mooring.api.presenters.objects import configuration as present
from mooring.api.routers.expansion import with_scenarios
from mooring.api.schemas import configurations as shapes
from mooring.services import configurations
from mooring.services.configurations import Filter, NewConfiguration
from mooring.services.paging import Page

PATH = "/v2/lm/configurations"
router = APIRouter(prefix=PATH, tags=["Configuration"])


async def _filter(
    scenario_id: ScenarioFilter = None,
    executable_ids: Annotated[list[str] | None, Query(alias="executableIds")] = None,
    search: Search = None,
    case_insensitive: CaseInsensitive = False,
) -> Filter:
    return Filter(scenario_id, split_ids(executable_ids, "executableIds"), search, case_insensitive)


Wanted = Annotated[Filter, Depends(_filter)]


@router.get("", response_model=shapes.ConfigurationList, response_model_exclude_unset=True)
def list_configurations(
    context: Context, group: Group, wanted: Wanted, page: PageOfList, expand: Expand = None
) -> Response:
    """The configurations of a resource group, newest first."""

    def find(session: Session, part: Page) -> Rows:
        return configurations.list_of(session, group, wanted, part)

    def show(session: Session, rows: Rows) -> list[dict[str, Any]]:
        shown = [present(row) for row in rows]
        return with_scenarios(session, shown) if expand else shown

    return long_list(context.database, page, find, show)


@router.post("", status_code=201, response_model=shapes.ConfigurationCreated)
def create_configuration(context: Context, group: Group, body: shapes.ConfigurationCreate) -> Response:
    """Make a configuration; it can neither be changed nor be deleted."""
    new = NewConfiguration(
        name=body.name,
        scenario_id=body.scenario_id,
        executable_id=body.executable_id,
        parameter_bindings=[item.model_dump(by_alias=True) for item in body.parameter_bindings],
        input_artifact_bindings=[item.model_dump(by_alias=True) for item in body.input_artifact_bindings],
    )
    with context.database.transaction() as session:
        made = configurations.create(session, group, new)
    return answers.created(f"{PATH}/{made.id}", {"id": made.id, "message": "Configuration created"})


@router.get("/$count", response_model=int)
def count_configurations(context: Context, group: Group, wanted: Wanted) -> Response:
    """How many configurations there are."""
    with context.database.reading() as session:
        return answers.number(configurations.count(session, group, wanted))


@router.get("/{configurationId}", response_model=shapes.Configuration)
def get_configuration(
    context: Context, group: Group, configuration_id: ConfigurationId, expand: Expand = None
) -> Response:
    """One configuration."""
    with context.database.reading() as session:
        shown = present(configurations.get(session, group, configuration_id))
        return answers.json(with_scenarios(session, [shown])[0] if expand else shown)
