"""Who comes by a tracking address is known by the address, before anything of the body is read."""

from starlette.types import ASGIApp, Receive, Scope, Send

from mooring.api import envelope
from mooring.api.tracking_paths import permission_in
from mooring.errors import NotFound
from mooring.services.tracking_addresses import TrackedExecution, TrackingAddresses

_STATE = "mooring.tracked_execution"


def proven_execution(scope: Scope) -> TrackedExecution | None:
    """The execution that calls by its tracking address; None for all other requests."""
    execution: TrackedExecution | None = scope.get(_STATE)
    return execution


class TrackingAccess:
    """Puts the `TrackedExecution` into the scope, or answers 404."""

    def __init__(self, app: ASGIApp, addresses: TrackingAddresses) -> None:
        self._app = app
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        permission = permission_in(scope["path"]) if scope["type"] == "http" else None
        if permission is not None:
            scope[_STATE] = self._addresses.recognise(permission)
            if scope[_STATE] is None:
                error = NotFound("this is the tracking address of no execution: take AICORE_TRACKING_ENDPOINT as it is")
                await envelope.answer_to(error, scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)
