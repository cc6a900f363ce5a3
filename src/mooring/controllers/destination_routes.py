"""Which destinations the gateway leads on: read from plain columns, nothing that is sealed has to be opened."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from mooring.domain.destinations import Pointer
from mooring.gateway.routes import DestinationRoute
from mooring.store.tables import Destination


def destination_routes(session: Session) -> tuple[DestinationRoute, ...]:
    """By name. Of two with one name the instance's counts, also when it leads out of here: as they are found."""
    query = select(Destination.name, Destination.pointer).order_by(Destination.name, Destination.level)
    pointers: dict[str, Pointer | None] = {}
    for name, fields in session.execute(query):  # `instance` comes before `subaccount`
        pointers.setdefault(name, Pointer.from_json(fields))
    return tuple(_route(name, pointer) for name, pointer in pointers.items() if pointer)


def _route(name: str, pointer: Pointer) -> DestinationRoute:
    return DestinationRoute(
        name=name,
        resource_group=pointer.resource_group,
        deployment_id=pointer.deployment_id,
        path=pointer.path,
        canary_id=pointer.canary_id,
        percent=pointer.percent,
        mirror_id=pointer.mirror_id,
        mirror_percent=pointer.mirror_percent,
    )
