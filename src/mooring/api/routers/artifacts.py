"""Artifacts."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from mooring.api import answers
from mooring.api.comma_lists import split
from mooring.api.dependencies import (
    ArtifactId,
    CaseInsensitive,
    Context,
    Expand,
    Group,
    PageOfList,
    ScenarioFilter,
    Search,
)
from mooring.api.long_lists import Rows, long_list
from mooring.api.presenters.objects import artifact as present
from mooring.api.routers.expansion import with_scenarios
from mooring.api.schemas import artifacts as shapes
from mooring.api.schemas.common import ID_PATTERN, Name
from mooring.services import artifacts, labels
from mooring.services.artifacts import Filter, Kind, NewArtifact
from mooring.services.paging import Page

PATH = "/v2/lm/artifacts"
_SELECTOR = "artifactLabelSelector"
_LABELS = "ext.ai.sap.com/"
router = APIRouter(prefix=PATH, tags=["Artifact"])


async def _filter(
    scenario_id: ScenarioFilter = None,
    execution_id: Annotated[str | None, Query(alias="executionId", pattern=ID_PATTERN)] = None,
    name: Annotated[Name | None, Query()] = None,
    kind: Kind | None = None,
    label_selector: Annotated[list[str] | None, Query(alias=_SELECTOR)] = None,
    search: Search = None,
    case_insensitive: CaseInsensitive = False,
) -> Filter:
    return Filter(
        scenario_id=scenario_id,
        execution_id=execution_id,
        name=name,
        kind=kind.value if kind else None,
        selectors=labels.parse(split(label_selector) or [], parameter=_SELECTOR, prefix=_LABELS),
        search=search,
        case_insensitive=case_insensitive,
    )


Wanted = Annotated[Filter, Depends(_filter)]


@router.get("", response_model=shapes.ArtifactList)
def list_artifacts(context: Context, group: Group, wanted: Wanted, page: PageOfList, expand: Expand = None) -> Response:
    """The artifacts of a resource group, newest first."""

    def find(session: Session, part: Page) -> Rows:
        return artifacts.list_of(session, group, wanted, part)

    def show(session: Session, rows: Rows) -> list[dict[str, Any]]:
        shown = [present(row) for row in rows]
        return with_scenarios(session, shown) if expand else shown

    return long_list(context.database, page, find, show)


@router.post("", status_code=201, response_model=shapes.ArtifactCreated)
def create_artifact(context: Context, group: Group, body: shapes.ArtifactCreate) -> Response:
    """Register a reference to data or a model; what lies behind the url is not looked at."""
    new = NewArtifact(
        name=body.name,
        kind=body.kind.value,
        url=body.url,
        scenario_id=body.scenario_id,
        description=body.description,
        labels=[label.model_dump() for label in body.labels],
    )
    with context.database.transaction() as session:
        made = artifacts.create(session, group, new)
    path = f"{PATH}/{made.id}"
    answer = answers.created(path, {"id": made.id, "message": "Artifact acknowledged", "url": made.url})
    answer.headers["Content-Location"] = path
    return answer


@router.get("/$count", response_model=int)
def count_artifacts(context: Context, group: Group, wanted: Wanted) -> Response:
    """How many artifacts there are."""
    with context.database.reading() as session:
        return answers.number(artifacts.count(session, group, wanted))


@router.get("/{artifactId}", response_model=shapes.Artifact)
def get_artifact(context: Context, group: Group, artifact_id: ArtifactId, expand: Expand = None) -> Response:
    """One artifact."""
    with context.database.reading() as session:
        shown = present(artifacts.get(session, group, artifact_id))
        return answers.json(with_scenarios(session, [shown])[0] if expand else shown)
