"""What can be done with a destination: found with ready tokens, checked, looked back at, and rolled back."""

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query
from starlette.responses import Response

from mooring.api import answers
from mooring.api.context import ApiContext
from mooring.api.dependencies import Context
from mooring.api.destination_requests import V1, V2, AtLevel, Caller, Tokens, outside_threads, split_level
from mooring.api.destination_routing import tell_the_gateway
from mooring.api.presenters import destinations as present
from mooring.domain.destinations import Level
from mooring.services import destination_checks, destinations
from mooring.services.destination_tokens import DestinationTokens

router = APIRouter(include_in_schema=False)
_SINGLE = V1 + "/{collection}/{name}"
WithoutTokens = Annotated[bool, Query(alias="$skipTokenRetrieval")]


@router.get(V1 + "/destinations/{name}")
async def find_destination(
    context: Context, _caller: Caller, tokens: Tokens, name: str, without_tokens: WithoutTokens = False
) -> Response:
    """The instance's, else the subaccount's, with a token that is ready to be used."""
    return await _found(context, None if without_tokens else tokens, name, None)


@router.get(V2 + "/destinations/{name}")
async def find_destination_at_level(
    context: Context, _caller: Caller, tokens: Tokens, name: str, without_tokens: WithoutTokens = False
) -> Response:
    """The same; `name@subaccount` or `name@instance` says at which level."""
    plain, level = split_level(name)
    return await _found(context, None if without_tokens else tokens, plain, level)


@router.post(_SINGLE + "/check")
async def check_destination(context: Context, _caller: Caller, tokens: Tokens, level: AtLevel, name: str) -> Response:
    """Connect, get a token, call the target; 200 also when that fails, `OK` says which."""

    def check() -> Response:
        with context.database.reading() as session:
            found = destinations.opened(context.vault, destinations.get(session, level, name))
        return answers.json(present.checked(found, destination_checks.check(found, tokens, context.outside)))

    return await to_thread.run_sync(check, limiter=outside_threads())


@router.get(_SINGLE + "/history")
def get_history(context: Context, _caller: Caller, level: AtLevel, name: str) -> Response:
    """Where it has pointed, newest first: the first is where it points now."""
    with context.database.reading() as session:
        found = destinations.opened(context.vault, destinations.get(session, level, name))
    return answers.json([move.to_json() for move in found.moves])


@router.post(_SINGLE + "/rollback")
def roll_back_destination(context: Context, caller: Caller, level: AtLevel, name: str) -> Response:
    """End its canary if it has one, else point to where it pointed before."""
    with context.database.transaction() as session:
        done = destinations.roll_back(session, context.vault, level, name, caller)
    tell_the_gateway(context)
    return answers.json({"Name": name, "URL": done.url, "Undone": done.undone})


async def _found(context: ApiContext, tokens: DestinationTokens | None, name: str, level: Level | None) -> Response:
    def find() -> Response:
        with context.database.reading() as session:
            found = destinations.opened(context.vault, destinations.find(session, name, level))
        return answers.json(present.found(found, tokens.of(found) if tokens else []))

    return await to_thread.run_sync(find, limiter=outside_threads())
