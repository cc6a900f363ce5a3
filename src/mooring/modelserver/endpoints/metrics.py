"""`GET /metrics`, for Prometheus."""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from mooring.modelserver.http import Request, Response
from mooring.modelserver.metrics import Metrics
from mooring.modelserver.routes import Routes

if TYPE_CHECKING:
    from mooring.modelserver.exposition import Exposition


def metrics_routes(metrics: Metrics, is_ready: Callable[[], bool]) -> Routes:
    """Answered while the model loads, too."""

    @cache
    def exposition() -> "Exposition":
        # Not above: the library takes a fifth of a second, and a server that nobody scrapes does without.
        from mooring.modelserver.exposition import Exposition

        return Exposition(metrics, is_ready)

    async def endpoint(request: Request) -> Response:
        accept = request.header(b"accept") or ""
        body, content_type = await asyncio.to_thread(lambda: exposition().text(accept))
        return Response(body, content_type=content_type)

    return {"/metrics": {"GET": endpoint}}
