"""What is answered while the model loads, too: probes, and where the documentation is."""

from collections.abc import Callable

import orjson

from mooring.modelserver.http import Request, Response
from mooring.modelserver.routes import Endpoint, Routes

LOADING = "the model is still loading"


def health_routes(
    name: str, version: str | None, is_loaded: Callable[[], bool], trouble: Callable[[], str | None]
) -> Routes:
    """Live as soon as the process listens; ready once the model is loaded and has answered its own example.

    Neither while there is `trouble`, which says what it is.
    """

    def why_not_ready() -> str | None:
        return trouble() if is_loaded() else LOADING

    async def live(_: Request) -> Response:
        return _state("live", trouble())

    async def ready(_: Request) -> Response:
        return _state("ready", why_not_ready())

    async def model_ready(_: Request) -> Response:
        return _state("ready", why_not_ready(), name=name)

    async def ping(_: Request) -> Response:
        reason = why_not_ready()
        return Response(f"{reason or ''}\n".encode(), 503 if reason else 200)

    async def front(request: Request) -> Response:
        """Browsers want the page; KServe's client asks here whether the server is alive."""
        if "text/html" in (request.header(b"accept") or ""):
            return await to_page(request)
        reason = trouble()
        return Response(orjson.dumps({"status": reason or "alive"}), 503 if reason else 200)

    to_page = redirect("api/")
    server: Routes = {
        "/": {"GET": front},
        "/v2/health/live": {"GET": live},
        "/v2/health/ready": {"GET": ready},
        "/ping": {"GET": ping},
        "/health": {"GET": ping},
        "/livez": {"GET": live},
        "/readyz": {"GET": ready},
    }
    models: Routes = {f"{path}/ready": {"GET": model_ready} for path in model_paths(name, version)}
    return {**server, **models, f"/v1/models/{name}": {"GET": model_ready}}


def _state(word: str, reason: str | None, **facts: str) -> Response:
    # An answer and not an error: whoever asks asks again and again, which nobody wants to read in a log.
    body = {**facts, word: reason is None, **({"reason": reason} if reason else {})}
    return Response(orjson.dumps(body), 503 if reason else 200)


def model_paths(name: str, version: str | None) -> tuple[str, ...]:
    """The paths of the model in the Open Inference Protocol."""
    path = f"/v2/models/{name}"
    return (path, f"{path}/versions/{version}") if version else (path,)


def redirect(location: str) -> Endpoint:
    """To a place relative to the request's own path, as we do not know which prefix was in front of it."""

    async def endpoint(_: Request) -> Response:
        return Response(b"", 307, "text/plain", (("location", location),))

    return endpoint
