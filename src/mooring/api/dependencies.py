"""What handlers take from a request."""

from typing import Annotated, Literal

from fastapi import Depends, Header, Path, Query, Request

from mooring.api.authentication import principal_of
from mooring.api.context import ApiContext
from mooring.api.schemas.common import ID_PATTERN
from mooring.api.schemas.resource_groups import GROUP_ID_PATTERN
from mooring.errors import Forbidden, InvalidRequest
from mooring.services.paging import DEFAULT_TOP, HIGHEST_TOP, Page
from mooring.services.resource_groups import DEFAULT_GROUP

_HIGHEST = 2**31 - 1
_HEADER = "AI-Resource-Group"


async def _context(request: Request) -> ApiContext:
    context: ApiContext = request.app.state.context
    return context


async def _group(
    request: Request,
    _documented: Annotated[
        str | None, Header(alias=_HEADER, description="The resource group; `default` when absent.")
    ] = None,
) -> str:
    return group_of(request)


def group_of(request: Request) -> str:
    """The resource group of the header. Raises InvalidRequest when the caller may not use it."""
    named = set(request.headers.getlist(_HEADER))
    given = named or {DEFAULT_GROUP}
    if len(given) > 1:
        raise InvalidRequest(f"the header {_HEADER} is given more than once, with different values: send one")
    (group,) = given
    if not group or not principal_of(request.scope).may_use(group):
        # The same words as for a group that does not exist: clients learn nothing about others.
        where = f"of the header {_HEADER}" if named else f"(taken because there is no header {_HEADER})"
        raise InvalidRequest(f"the resource group {group!r} {where} does not exist")
    return group


async def _whole_tenant(request: Request) -> None:
    if not principal_of(request.scope).is_for_whole_tenant:
        raise Forbidden(
            "this belongs to the whole tenant, and the client is bound to resource groups: ask its operator"
        )


async def _page(
    top: Annotated[int, Query(alias="$top", ge=0, le=HIGHEST_TOP)] = DEFAULT_TOP,
    skip: Annotated[int, Query(alias="$skip", ge=0, le=_HIGHEST)] = 0,
) -> Page:
    return Page(top, skip)


async def _page_of_admin_list(
    top: Annotated[int, Query(alias="$top", ge=0, le=_HIGHEST)] = DEFAULT_TOP,
    skip: Annotated[int, Query(alias="$skip", ge=0, le=_HIGHEST)] = 0,
) -> Page:
    return Page(min(top, HIGHEST_TOP), skip)


Context = Annotated[ApiContext, Depends(_context)]
Group = Annotated[str, Depends(_group)]
ForWholeTenant = Depends(_whole_tenant)
"""For `dependencies` of routes: refuses clients that are bound to resource groups."""
PageOfList = Annotated[Page, Depends(_page)]
PageOfAdminList = Annotated[Page, Depends(_page_of_admin_list)]
"""Below `/v2/admin`, where the API names no highest `$top`."""

ScenarioId = Annotated[str, Path(alias="scenarioId", pattern=ID_PATTERN)]
ExecutableId = Annotated[str, Path(alias="executableId", pattern=ID_PATTERN)]
ConfigurationId = Annotated[str, Path(alias="configurationId", pattern=ID_PATTERN)]
ArtifactId = Annotated[str, Path(alias="artifactId", pattern=ID_PATTERN)]
ExecutionId = Annotated[str, Path(alias="executionId", pattern=ID_PATTERN)]
ExecutionScheduleId = Annotated[str, Path(alias="executionScheduleId", pattern=ID_PATTERN)]
DeploymentId = Annotated[str, Path(alias="deploymentId", pattern=ID_PATTERN)]
ResourceGroupId = Annotated[str, Path(alias="resourceGroupId", pattern=GROUP_ID_PATTERN)]

Search = Annotated[str | None, Query(alias="$search", min_length=1, max_length=80, pattern=r"^[^~\x00]+$")]
CaseInsensitive = Annotated[bool, Query(alias="searchCaseInsensitive")]
Expand = Annotated[Literal["scenario"] | None, Query(alias="$expand")]
Select = Annotated[Literal["status"] | None, Query(alias="$select")]
ScenarioFilter = Annotated[str | None, Query(alias="scenarioId", pattern=ID_PATTERN)]
