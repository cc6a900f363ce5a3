"""The Swagger page at `/api/`: static files only, all from here, so that it needs no token and no other host."""

import asyncio
import importlib.util
from importlib import resources
from pathlib import Path

from mooring.modelserver.endpoints.health import redirect
from mooring.modelserver.errors import NotFound
from mooring.modelserver.http import Request, Response
from mooring.modelserver.routes import Endpoint, Routes

_OURS = {"page.js": "text/javascript", "page.css": "text/css"}
_SWAGGER = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
# `img-src data:` is for the icons in Swagger UI's own style sheet.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    ("content-security-policy", _POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-cache"),
)
_ASSET_HEADERS = (("x-content-type-options", "nosniff"), ("cache-control", "public, max-age=3600"))


def page_routes(name: str) -> Routes:
    """The page, its files, and the redirections to it."""
    ours = Path(str(resources.files("mooring.modelserver") / "static"))
    files: dict[str, dict[str, Endpoint]] = {
        f"/api/static/{file}": {"GET": _file(ours / file, kind, _ASSET_HEADERS)} for file, kind in _OURS.items()
    }
    for file, kind in _SWAGGER.items():
        files[f"/api/static/{file}"] = {"GET": _file(swagger_folder() / file, kind, _ASSET_HEADERS)}
    page = _file(ours / "page.html", "text/html", _HEADERS)
    return {
        "": {"GET": redirect(f"{name}/api/")},  # only met under the prefix
        "/api": {"GET": redirect("api/")},
        "/api/": {"GET": page},
        "/doc/": {"GET": redirect("../api/")},  # where Service Builder's wrapper has a second page
        **files,
    }


def swagger_folder() -> Path:
    """Where the wheel has Swagger UI's files; found without importing it, as that would import Flask."""
    spec = importlib.util.find_spec("flask_swagger_ui")
    return Path(spec.origin).parent / "dist" if spec and spec.origin else Path("flask-swagger-ui-is-not-installed")


def _file(path: Path, content_type: str, headers: tuple[tuple[str, str], ...]) -> Endpoint:
    kind = content_type if content_type.startswith("image/") else f"{content_type}; charset=utf-8"

    async def endpoint(_: Request) -> Response:
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except OSError:
            raise NotFound(f"the file {path.name} is not there: install flask-swagger-ui") from None
        return Response(content, content_type=kind, headers=headers)

    return endpoint
