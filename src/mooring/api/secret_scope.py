"""Which scope of generic secrets a request means, by two headers.

| `AI-Tenant-Scope` | `AI-Resource-Group` | scope |
|---|---|---|
| `true` | absent | the tenant's own |
| `true` | a group | the tenant's own: the Python SDK sends its group along whatever it means, so it is not looked at |
| `true` | `*` | all resource groups |
| `false` or absent | a group | that group |
| `false` or absent | absent | the group `default` |
| `false` or absent | `*` | 400: `*` needs `AI-Tenant-Scope: true` |
| anything else, or two different values | | 400 |

Whoever may use secrets at all may read what the tenant's are called; only clients that are bound to no resource groups
may write them.
"""

from typing import Annotated

from fastapi import Depends, Header, Request

from mooring.api.authentication import principal_of
from mooring.api.dependencies import group_of
from mooring.errors import Forbidden, InvalidRequest
from mooring.services.generic_secrets import ALL_GROUPS, TENANT

_TENANT_HEADER = "AI-Tenant-Scope"
_GROUP_HEADER = "AI-Resource-Group"
_MEANINGS = {"true": True, "false": False}


async def _scope(
    request: Request,
    _tenant: Annotated[
        str | None,
        Header(
            alias=_TENANT_HEADER, description="`true` for the tenant's secrets, or with the group `*` for those of all."
        ),
    ] = None,
    _group: Annotated[
        str | None, Header(alias=_GROUP_HEADER, description="The resource group; `default` when absent.")
    ] = None,
) -> str:
    for_all = "*" in request.headers.getlist(_GROUP_HEADER)
    if not _is_for_tenant(request):
        if for_all:
            raise InvalidRequest(f"{_GROUP_HEADER}: * stands for all groups only together with {_TENANT_HEADER}: true")
        return group_of(request)
    if for_all and len(set(request.headers.getlist(_GROUP_HEADER))) > 1:
        raise InvalidRequest(f"the header {_GROUP_HEADER} is given more than once, with different values: send one")
    return ALL_GROUPS if for_all else TENANT


async def _writable_scope(request: Request, scope: Annotated[str, Depends(_scope)]) -> str:
    if scope in (TENANT, ALL_GROUPS) and not principal_of(request.scope).is_for_whole_tenant:
        raise Forbidden(
            "this secret would belong to the whole tenant, and the client is bound to resource groups: "
            f"send {_TENANT_HEADER}: false (ai_tenant_scope=False in the Python SDK) for a group's secret"
        )
    return scope


def _is_for_tenant(request: Request) -> bool:
    given = {value.strip().lower() for value in request.headers.getlist(_TENANT_HEADER)} or {"false"}
    if len(given) > 1 or not given <= _MEANINGS.keys():
        raise InvalidRequest(f"the header {_TENANT_HEADER} has to be true or false, and given once")
    return _MEANINGS[given.pop()]


SecretScope = Annotated[str, Depends(_scope)]
WritableScope = Annotated[str, Depends(_writable_scope)]
