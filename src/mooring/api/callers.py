"""Who calls, for handlers whose answer depends on it."""

from typing import Annotated

from fastapi import Depends, Request

from mooring.api.authentication import principal_of
from mooring.api.dependencies import ResourceGroupId
from mooring.api.tokens import Principal
from mooring.services.resource_groups import no_such_group


async def _caller(request: Request) -> Principal:
    return principal_of(request.scope)


Caller = Annotated[Principal, Depends(_caller)]


def seen_by(caller: Principal) -> frozenset[str] | None:
    """The resource groups that a caller may know of; None stands for all."""
    return None if caller.is_for_whole_tenant else caller.groups


async def _visible(caller: Caller, group_id: ResourceGroupId) -> str:
    if not caller.may_use(group_id):
        raise no_such_group(group_id)
    return group_id


VisibleGroupId = Annotated[str, Depends(_visible)]
"""The resource group in the path; 404 when the caller may not use it, as if it did not exist."""
