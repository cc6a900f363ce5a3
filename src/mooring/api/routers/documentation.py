"""The interactive documentation: a page, its assets, and the document that it shows (which needs a token)."""

from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

_ASSETS = Path(__file__).parent.parent / "assets"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def get_page() -> Response:
    """The page; it asks for a token by itself."""
    headers = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"}
    return Response(_PAGE, headers=headers, media_type="text/html")


@router.get("/docs/")
async def get_page_with_slash() -> Response:
    """People type it."""
    return RedirectResponse("/docs", status_code=308)


def install(app: FastAPI) -> None:
    """Serve the page and its assets, all of them from this machine."""
    app.include_router(router)
    app.mount("/docs/static/swagger", StaticFiles(directory=_swagger_ui()))
    app.mount("/docs/static", StaticFiles(directory=_ASSETS))


def _swagger_ui() -> Path:
    # The package is only the carrier of the files; importing it would import Flask.
    spec = find_spec("flask_swagger_ui")
    if spec is None or spec.origin is None:
        raise RuntimeError("flask-swagger-ui is not installed: install Mooring with its dependencies")
    return Path(spec.origin).parent / "dist"


_PAGE = (_ASSETS / "docs.html").read_bytes()
