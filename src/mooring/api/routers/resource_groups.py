"""Resource groups."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from mooring.api import answers
from mooring.api.callers import Caller, VisibleGroupId, seen_by
from mooring.api.comma_lists import split
from mooring.api.dependencies import CaseInsensitive, Context, ForWholeTenant, PageOfAdminList, ResourceGroupId, Search
from mooring.api.group_pages import GroupPage, place_of, preferred_size
from mooring.api.presenters.objects import TENANT
from mooring.api.presenters.objects import resource_group as present
from mooring.api.schemas import resource_groups as shapes
from mooring.api.schemas.common import Done
from mooring.api.tokens import Principal
from mooring.errors import Forbidden
from mooring.services import labels, resource_groups
from mooring.services.resource_groups import Filter

PATH = "/v2/admin/resourceGroups"
router = APIRouter(prefix=PATH, tags=["Resource group"])


async def _filter(
    caller: Caller,
    label_selector: Annotated[list[str] | None, Query(alias="labelSelector")] = None,
    search: Search = None,
    case_insensitive: CaseInsensitive = False,
) -> Filter:
    selectors = labels.parse(split(label_selector) or [], parameter="labelSelector")
    return Filter(selectors, search, case_insensitive, seen_by(caller))


async def _page(
    request: Request,
    page: PageOfAdminList,
    _prefer: Annotated[str | None, Header(alias="Prefer", description="`maxpagesize=N`: so many on a page.")] = None,
    token: Annotated[
        str | None, Query(alias="continueToken", max_length=1000, description="As the page before had it.")
    ] = None,
) -> GroupPage:
    top = min(page.top, preferred_size(request.headers.getlist("Prefer")) or page.top)
    return GroupPage(top, page.skip, place_of(token) if token else None)


@router.get("", response_model=shapes.ResourceGroupList)
def list_resource_groups(
    context: Context,
    wanted: Annotated[Filter, Depends(_filter)],
    page: Annotated[GroupPage, Depends(_page)],
    with_total: Annotated[bool, Query(alias="$count")] = False,
) -> Response:
    """The resource groups that the client may use, newest first. `$count=true` makes `count` the total of all pages."""
    with context.database.reading() as session:
        found = resource_groups.list_all(session, wanted)
    shown, following = page.cut(found)
    answer = {"count": len(found if with_total else shown), "resources": [present(row) for row in shown]}
    return answers.json(answer if following is None else {**answer, "continueToken": following})


@router.post("", status_code=202, response_model=shapes.ResourceGroupCreated)
def create_resource_group(context: Context, caller: Caller, body: shapes.ResourceGroupCreate) -> Response:
    """Make a resource group; it can be used at once. Making one that exists changes nothing."""
    group_id = body.resource_group_id
    given = [label.model_dump() for label in body.labels]
    with context.database.transaction() as session:
        _refuse_new_one_of_bound_client(session, caller, group_id)
        resource_groups.create(session, group_id, given, most=context.max_resource_groups)
    return answers.json({"resourceGroupId": group_id, "tenantId": TENANT, "zoneId": TENANT}, 202)


def _refuse_new_one_of_bound_client(session: Session, caller: Principal, group_id: str) -> None:
    # Pipelines make their group at every run: for a client that is bound to it, this has to go on working.
    is_own = resource_groups.count(session, caller.groups & {group_id}) == 1
    if not caller.is_for_whole_tenant and not is_own:
        raise Forbidden(
            f"the client is bound to resource groups, {group_id!r} is none of them: ask its operator for it"
        )


@router.get("/{resourceGroupId}", response_model=shapes.ResourceGroup)
def get_resource_group(context: Context, group_id: VisibleGroupId) -> Response:
    """One resource group."""
    with context.database.reading() as session:
        return answers.json(present(resource_groups.get(session, group_id)))


@router.patch("/{resourceGroupId}", status_code=202, response_class=Response)
def modify_resource_group(context: Context, group_id: VisibleGroupId, body: shapes.ResourceGroupModify) -> Response:
    """Replace the labels."""
    given = [label.model_dump() for label in body.labels]
    with context.database.transaction() as session:
        resource_groups.change_labels(session, group_id, given)
    return Response(status_code=202, headers={"Location": f"{PATH}/{group_id}"})


@router.delete("/{resourceGroupId}", status_code=202, response_model=Done, dependencies=[ForWholeTenant])
def delete_resource_group(context: Context, group_id: ResourceGroupId) -> Response:
    """Remove a resource group in which nothing runs, with all that lies in it."""
    with context.object_stores.forgetting(group_id), context.database.transaction() as session:
        resource_groups.remove(session, group_id)
    return answers.accepted(group_id, "Resource group deletion scheduled")
