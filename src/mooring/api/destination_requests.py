"""What the Destination service's handlers take from a request."""

import re
from typing import Annotated, Any

import orjson
from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from fastapi import Depends, Path, Query, Request

from mooring.api.authentication import principal_of
from mooring.domain.destinations import Level
from mooring.domain.roles import Role
from mooring.errors import Forbidden, InvalidRequest, NotFound
from mooring.services.destination_tokens import DestinationTokens

V1, V2 = "/destination-configuration/v1", "/destination-configuration/v2"
_COLLECTIONS = {"subaccountDestinations": Level.SUBACCOUNT, "instanceDestinations": Level.INSTANCE}
_SUFFIXES = {
    "subaccount": Level.SUBACCOUNT,
    "provider_subaccount": Level.SUBACCOUNT,
    "instance": Level.INSTANCE,
    "provider_instance": Level.INSTANCE,
}
_NAME = r"'(?:[^']|'')*'"
_FILTER = re.compile(rf"\s*Name\s+(?:in\s*\(\s*({_NAME}(?:\s*,\s*{_NAME})*)\s*\)|eq\s+({_NAME}))\s*", re.IGNORECASE)
_OUTSIDE_AT_A_TIME = 16
_outside: RunVar[CapacityLimiter] = RunVar("mooring_destination_threads")


async def _allowed(request: Request) -> str:
    caller = principal_of(request.scope)
    if caller.role is not Role.DESTINATIONS and not caller.is_for_whole_tenant:
        raise Forbidden(
            "destinations belong to the whole installation, and the client is bound to resource groups: use one with "
            "the role destinations (mooring client create NAME --role destinations)"
        )
    return caller.client_id


async def _level(collection: Annotated[str, Path()]) -> Level:
    if collection not in _COLLECTIONS:
        raise NotFound(f"there is no collection {collection!r}: there are {' and '.join(_COLLECTIONS)}")
    return _COLLECTIONS[collection]


async def _body(request: Request) -> Any:
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"the body is no JSON: {error.msg} at character {error.pos}") from None


async def _names(
    given: Annotated[str | None, Query(alias="$filter", max_length=10_000)] = None,
) -> list[str] | None:
    if given is None:
        return None
    found = _FILTER.fullmatch(given)
    if found is None:
        raise InvalidRequest("$filter: must be Name in ('a','b')")
    return [each[1:-1].replace("''", "'") for each in re.findall(_NAME, found[1] or found[2])]


async def _tokens(request: Request) -> DestinationTokens:
    tokens: DestinationTokens = request.app.state.destination_tokens
    return tokens


def split_level(name: str) -> tuple[str, Level | None]:
    """A name as the second version has it: `name`, or `name@level`. Raises NotFound."""
    plain, at, suffix = name.partition("@")
    if at and suffix not in _SUFFIXES:
        raise NotFound(f"there is no level {suffix!r}: there are {', '.join(_SUFFIXES)}")
    return plain, _SUFFIXES[suffix] if at else None


def outside_threads() -> CapacityLimiter:
    """Threads of their own for calls to elsewhere: elsewhere may be our own token endpoint, which needs one, too."""
    try:
        return _outside.get()
    except LookupError:
        limiter = CapacityLimiter(_OUTSIDE_AT_A_TIME)
        _outside.set(limiter)
        return limiter


Caller = Annotated[str, Depends(_allowed)]
"""The client, which may have to do with destinations."""
AtLevel = Annotated[Level, Depends(_level)]
Body = Annotated[Any, Depends(_body)]
Names = Annotated[list[str] | None, Depends(_names)]
Tokens = Annotated[DestinationTokens, Depends(_tokens)]
