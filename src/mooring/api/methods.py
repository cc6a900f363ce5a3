"""Which methods a path takes: each route knows its own only, and a path has one route for each."""

from collections.abc import Sequence

from fastapi import Request
from starlette.routing import Match, Mount

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def allowed_at(request: Request) -> Sequence[str]:
    """The methods that the request's path takes; none where files are served, which answer for themselves."""
    routes = [route for route in request.app.routes if not isinstance(route, Mount)]
    return [
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]
