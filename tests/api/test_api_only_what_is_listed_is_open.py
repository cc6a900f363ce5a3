"""Every route asks for a token, except for those that are listed here."""

from collections.abc import Iterator

import httpx
import pytest
from fastapi.openapi.constants import METHODS_WITH_BODY

from mooring.api.app import create_app
from mooring.api.authentication import PUBLIC_PATHS, is_public
from tests.api.api_server import Server

OPEN = {
    "/oauth/token",
    "/oauth/keys",
    "/healthz",
    "/readyz",
    "/docs",
    "/webhooks/mlflow",
}
HIDDEN = {"/docs", "/openapi.json"}


def _routes(server: Server) -> Iterator[tuple[str, str]]:
    paths = create_app(server.context).openapi()["paths"]
    for path, operations in paths.items():
        for method in operations:
            yield method.upper(), path
    for path in HIDDEN:
        yield "GET", path


def test_the_list_is_what_we_think_it_is() -> None:
    assert PUBLIC_PATHS == OPEN


def test_every_route_with_and_without_a_token(server: Server) -> None:
    seen = set()
    with server.http(token=False) as stranger:
        for method, template in _routes(server):
            seen.add(template)
            path = template.replace("{", "").replace("}", "")
            content = b"{}" if method in METHODS_WITH_BODY else None
            answer = stranger.request(method, path, content=content)
            refused = answer.status_code == 401 and answer.headers.get("www-authenticate") == "Bearer"
            assert refused is not (template in OPEN), (method, path, answer.text)
    assert seen > OPEN
    assert len(seen) > 20


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nothing",
        "/v2/lm/nothing",
        "/docs/",
        "/docs/other",
        "/docs/static",
        "/oauth/token/",
        "//docs",
        "/docs/../openapi.json",
        "/HEALTHZ",
        "/metrics",
    ],
)
def test_unknown_paths_tell_strangers_nothing(server: Server, path: str) -> None:
    answer = _raw_get(server, path)
    assert answer.status_code == 401
    assert "/oauth/token" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "path",
    [
        "/docs%2fstatic/x",
        "/docs/static/../openapi.json",
        "/docs/static/%2e%2e/docs.html",
        "/docs/static/..%2f..%2fapp.py",
    ],
)
def test_the_public_folder_does_not_lead_out(server: Server, path: str) -> None:
    answer = _raw_get(server, path)
    assert answer.status_code in (401, 404)
    assert "error" in answer.json()


@pytest.mark.parametrize("header", ["Bearer", "Bearer x.y.z", "Basic eDp5", "Token x", "", "bearer  x", "Bearer é"])
def test_a_wrong_header_is_refused(server: Server, header: str) -> None:
    answer = httpx.get(f"{server.url}/v2/lm/scenarios", headers=[(b"Authorization", header.encode())])
    assert answer.status_code == 401


def test_two_tokens_are_refused(server: Server) -> None:
    token = f"Bearer {server.context.tokens.issue('c').value}"
    headers = [("Authorization", token), ("Authorization", "Bearer other")]
    assert httpx.get(f"{server.url}/v2/lm/scenarios", headers=headers).status_code == 401


def test_public_means_the_exact_path() -> None:
    assert is_public("/docs/static/docs.css")
    assert not is_public("/docs/static")
    assert not is_public("/healthz/../v2/lm/scenarios")


def _raw_get(server: Server, path: str) -> httpx.Response:
    url = httpx.URL(server.url).copy_with(raw_path=path.encode())
    with httpx.Client() as client:
        return client.send(httpx.Request("GET", url))
