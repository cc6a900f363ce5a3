"""Resource groups."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from mooring.api import answers
from mooring.api.comma_lists import split
from mooring.api.dependencies import CaseInsensitive, Context, PageOfList, ResourceGroupId, Search
from mooring.api.presenters.objects import TENANT
from mooring.api.presenters.objects import resource_group as present
from mooring.api.schemas import resource_groups as shapes
from mooring.api.schemas.common import Done
from mooring.services import labels, resource_groups
from mooring.services.resource_groups import Filter

PATH = "/v2/admin/resourceGroups"
router = APIRouter(prefix=PATH, tags=["Resource group"])


async def _filter(
    label_selector: Annotated[list[str] | None, Query(alias="labelSelector")] = None,
    search: Search = None,
    case_insensitive: CaseInsensitive = False,
) -> Filter:
    selectors = labels.parse(split(label_selector) or [], parameter="labelSelector")
    return Filter(selectors, search, case_insensitive)


@router.get("", response_model=shapes.ResourceGroupList)
def list_resource_groups(
    context: Context,
    wanted: Annotated[Filter, Depends(_filter)],
    page: PageOfList,
    with_total: Annotated[bool, Query(alias="$count")] = False,
) -> Response:
    """All resource groups, newest first. With `$count=true`, `count` is the total and not that of the page."""
    with context.database.reading() as session:
        found = resource_groups.list_all(session, wanted)
    shown = [present(row) for row in found[page.skip : page.skip + page.top]]
    return answers.json({"count": len(found if with_total else shown), "resources": shown})


@router.post("", status_code=202, response_model=shapes.ResourceGroupCreated)
def create_resource_group(context: Context, body: shapes.ResourceGroupCreate) -> Response:
    """Make a resource group; it can be used at once. Making one that exists changes nothing."""
    given = [label.model_dump() for label in body.labels]
    with context.database.transaction() as session:
        made = resource_groups.create(session, body.resource_group_id, given)
    return answers.json({"resourceGroupId": made.id, "tenantId": TENANT, "zoneId": TENANT}, 202)


@router.get("/{resourceGroupId}", response_model=shapes.ResourceGroup)
def get_resource_group(context: Context, group_id: ResourceGroupId) -> Response:
    """One resource group."""
    with context.database.reading() as session:
        return answers.json(present(resource_groups.get(session, group_id)))


@router.patch("/{resourceGroupId}", status_code=202)
def modify_resource_group(context: Context, group_id: ResourceGroupId, body: shapes.ResourceGroupModify) -> Response:
    """Replace the labels."""
    given = [label.model_dump() for label in body.labels]
    with context.database.transaction() as session:
        resource_groups.change_labels(session, group_id, given)
    return Response(status_code=202, headers={"Location": f"{PATH}/{group_id}"})


@router.delete("/{resourceGroupId}", status_code=202, response_model=Done)
def delete_resource_group(context: Context, group_id: ResourceGroupId) -> Response:
    """Remove a resource group without deployments, with its configurations and artifacts."""
    with context.database.transaction() as session:
        resource_groups.remove(session, group_id)
    return answers.accepted(group_id, "Resource group deletion scheduled")
