"""Destinations, as SAP's Destination service has them: flat objects with their secrets, at two levels."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from mooring.api import answers
from mooring.api.context import ApiContext
from mooring.api.dependencies import Context
from mooring.api.destination_pages import PageOfDestinations
from mooring.api.destination_requests import V1, AtLevel, Body, Caller, Names
from mooring.api.destination_routing import tell_the_gateway
from mooring.errors import InvalidRequest, MooringError
from mooring.services import destination_labels, destinations
from mooring.store.tables import Destination

router = APIRouter(prefix=V1, include_in_schema=False)
_MOST_AT_ONCE = 1000
Write = Callable[[Session, object], Destination]


@router.get("/{collection}")
def list_destinations(
    request: Request,
    context: Context,
    _caller: Caller,
    level: AtLevel,
    names: Names,
    page: PageOfDestinations,
    select: Annotated[Literal["Name"] | None, Query(alias="$select")] = None,
) -> Response:
    """An array, by name; its pages are told in headers."""
    with context.database.reading() as session:
        rows = destinations.list_of(session, level, names, top=page.size, skip=page.skip)
        total = destinations.count(session, level, names)
    headers = page.headers(request.url, total)
    if select:
        return answers.json([{"Name": row.name} for row in rows], headers=headers)
    return answers.json([destinations.opened(context.vault, row).properties for row in rows], headers=headers)


@router.post("/{collection}")
def create_destinations(context: Context, caller: Caller, level: AtLevel, body: Body) -> Response:
    """One (201), or several (201, or 207 with what became of each)."""

    def create(session: Session, given: object) -> Destination:
        return destinations.create(session, context.vault, level, given, caller)

    if not isinstance(body, list):
        _write(context, create, body)
        return Response(status_code=201)
    results = _write_each(context, create, body, 201)
    return Response(status_code=201) if all(each["status"] == 201 for each in results) else _multi(results)


@router.put("/{collection}")
def replace_destinations(context: Context, caller: Caller, level: AtLevel, body: Body) -> Response:
    """One (200), or several (207 with what became of each); which one, its `Name` says."""

    def replace(session: Session, given: object) -> Destination:
        return destinations.replace(session, context.vault, level, given, caller)

    if not isinstance(body, list):
        _write(context, replace, body)
        return answers.json({"Count": 1})
    return _multi(_write_each(context, replace, body, 200))


@router.get("/{collection}/{name}")
def get_destination(context: Context, _caller: Caller, level: AtLevel, name: str) -> Response:
    """One, with its secrets."""
    with context.database.reading() as session:
        found = destinations.opened(context.vault, destinations.get(session, level, name))
    return answers.json(found.properties, headers={"ETag": _etag(found.version)})


@router.delete("/{collection}/{name}")
def delete_destination(context: Context, _caller: Caller, level: AtLevel, name: str) -> Response:
    """Remove one: its name leads nowhere from now on."""
    with context.database.transaction() as session:
        destinations.remove(session, level, name)
    tell_the_gateway(context)
    return answers.json({"Count": 1})


@router.get("/{collection}/{name}/labels")
def get_labels(context: Context, _caller: Caller, level: AtLevel, name: str) -> Response:
    """Its labels."""
    with context.database.reading() as session:
        return answers.json(destinations.get(session, level, name).labels)


@router.put("/{collection}/{name}/labels")
def replace_labels(context: Context, _caller: Caller, level: AtLevel, name: str, body: Body) -> Response:
    """All labels anew."""
    with context.database.transaction() as session:
        return answers.json(destination_labels.replace(destinations.get(session, level, name), body))


@router.patch("/{collection}/{name}/labels")
def patch_labels(context: Context, _caller: Caller, level: AtLevel, name: str, body: Body) -> Response:
    """Some more, or some less."""
    with context.database.transaction() as session:
        return answers.json(destination_labels.patch(destinations.get(session, level, name), body))


def _write(context: ApiContext, write: Write, given: object) -> Destination:
    with context.database.transaction() as session:
        row = write(session, given)
    tell_the_gateway(context)
    return row


def _write_each(context: ApiContext, write: Write, given: Sequence[object], done: int) -> list[dict[str, Any]]:
    """Each for itself: what is wrong with one keeps none of the others."""
    if not 1 <= len(given) <= _MOST_AT_ONCE:
        raise InvalidRequest(f"an array has 1 to {_MOST_AT_ONCE} destinations, this one has {len(given)}")
    results = []
    for each in given:
        name = each.get("Name") if isinstance(each, dict) else None
        try:
            with context.database.transaction() as session:
                row = write(session, each)
            results.append({"name": row.name, "status": done, "etag": _etag(row.version)})
        except MooringError as error:
            results.append({"name": name, "status": error.status, "cause": error.message})
    tell_the_gateway(context)
    return results


def _multi(results: Sequence[dict[str, Any]]) -> Response:
    return answers.json(results, 207)


def _etag(version: int) -> str:
    return f'"{version}"'
