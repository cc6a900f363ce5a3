"""What is answered while the model loads, too: probes, and where the documentation is."""

from collections.abc import Callable

import orjson

from mooring.modelserver.http import Request, Response
from mooring.modelserver.routes import Endpoint, Routes


def health_routes(name: str, version: str | None, is_ready: Callable[[], bool]) -> Routes:
    """Live as soon as the process listens; ready once the model is loaded and has answered its own example."""

    async def live(_: Request) -> Response:
        return Response(b'{"live":true}')

    async def ready(_: Request) -> Response:
        return Response(orjson.dumps({"ready": is_ready()}), 200 if is_ready() else 503)

    async def model_ready(_: Request) -> Response:
        return Response(orjson.dumps({"name": name, "ready": is_ready()}), 200 if is_ready() else 503)

    async def ping(_: Request) -> Response:
        # An answer and not an error: whoever asks asks again and again, which nobody wants to read in a log.
        return Response(b"\n", 200 if is_ready() else 503)

    server: Routes = {
        "/v2/health/live": {"GET": live},
        "/v2/health/ready": {"GET": ready},
        "/ping": {"GET": ping},
        "/health": {"GET": ping},
    }
    return {**server, **{f"{path}/ready": {"GET": model_ready} for path in model_paths(name, version)}}


def model_paths(name: str, version: str | None) -> tuple[str, ...]:
    """The paths of the model in the Open Inference Protocol."""
    path = f"/v2/models/{name}"
    return (path, f"{path}/versions/{version}") if version else (path,)


def redirect(location: str) -> Endpoint:
    """To a place relative to the request's own path, as we do not know which prefix was in front of it."""

    async def endpoint(_: Request) -> Response:
        return Response(b"", 307, "text/plain", (("location", location),))

    return endpoint
