"""Every route asks for a token, except for those that are listed here."""

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi.openapi.constants import METHODS_WITH_BODY

from mooring.api.app import create_app
from mooring.api.authentication import PUBLIC_PATHS, is_public
from tests.api.api_server import Server, on_one_store

OPEN = {
    "/oauth/token",
    "/oauth/keys",
    "/healthz",
    "/readyz",
    "/docs",
    "/docs/",
    "/webhooks/git",
    "/webhooks/mlflow",
}
HIDDEN = {"/docs", "/docs/", "/openapi.json"}
PROVEN_BY_PATH = {"/tracking/{permission}/api/v1/metrics"}
"""These need no token, but are there for nobody who does not know them (`test_api_executions_track_themselves`)."""
PROVEN_BY_SIGNATURE = {"/webhooks/git"}
_PARAMETER = re.compile(r"\{\w+\}")


def _routes(server: Server) -> Iterator[tuple[str, str]]:
    paths = create_app(server.context).openapi()["paths"]
    for path, operations in paths.items():
        for method in operations:
            yield method.upper(), path
    for path in HIDDEN:
        yield "GET", path


def test_the_list_is_what_we_think_it_is() -> None:
    assert PUBLIC_PATHS == OPEN


@on_one_store
def test_every_route_with_and_without_a_token(server: Server) -> None:
    seen = set()
    with server.http(token=False) as stranger:
        for method, template in _routes(server):
            seen.add(template)
            path = template.replace("{", "").replace("}", "")
            content = b"{}" if method in METHODS_WITH_BODY else None
            answer = stranger.request(method, path, content=content)
            if template in PROVEN_BY_PATH:
                assert answer.status_code == 404, answer.text
                continue
            if template in PROVEN_BY_SIGNATURE:
                assert (answer.status_code, "signature" in answer.text) == (401, True)
                continue
            refused = answer.status_code == 401 and answer.headers.get("www-authenticate") == "Bearer"
            assert refused is not (template in OPEN), (method, path, answer.text)
    assert seen > OPEN
    assert len(seen) > 20


@on_one_store
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_no_method_gets_past_the_token(server: Server, method: str) -> None:
    guarded = {path for _, path in _routes(server)} - OPEN - PROVEN_BY_PATH
    with server.http(token=False) as stranger:
        for template in guarded:
            answer = stranger.request(method, _PARAMETER.sub("default", template))
            assert answer.status_code == 401, (method, template)
            assert answer.headers["www-authenticate"] == "Bearer"


@on_one_store
@pytest.mark.parametrize("spelling", ["{path}/", "/{path}", "//{path}", "{path}%2f", "{path};x", "{path}%00"])
def test_another_spelling_of_a_path_opens_nothing(server: Server, spelling: str) -> None:
    paths = {path for _, path in _routes(server)} - PROVEN_BY_PATH - {"/docs"}
    url = httpx.URL(server.url)
    with server.http(token=False) as stranger:
        for template in paths:
            raw = spelling.format(path=_PARAMETER.sub("default", template)).encode()
            answer = stranger.send(httpx.Request("GET", url.copy_with(raw_path=raw)))
            assert answer.status_code == 401, raw


@on_one_store
def test_an_encoded_slash_is_a_slash_and_opens_nothing_else(server: Server) -> None:
    assert _raw_get(server, "/v2%2flm%2fscenarios").status_code == 401
    assert _raw_get(server, "/docs%2fstatic%2f..%2f..%2fv2%2flm%2fscenarios").status_code in (401, 404)
    assert _raw_get(server, "/healthz%2f..%2fv2%2flm%2fscenarios").status_code == 401


@on_one_store
def test_methods_that_open_paths_do_not_take_say_which_they_do(server: Server) -> None:
    with server.http(token=False) as stranger:
        for path in sorted(OPEN):
            answer = stranger.request("DELETE", path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (405, "01000405")
            assert answer.headers["allow"] in ("GET", "POST")


@on_one_store
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nothing",
        "/v2/lm/nothing",
        "/docs//",
        "/docs/other",
        "/docs/static",
        "/oauth/token/",
        "//docs",
        "/docs/../openapi.json",
        "/HEALTHZ",
        "/metrics",
        "/tracking/",
        "/tracking/x/api/v1/metrics/",
        "/tracking/x/y/api/v1/metrics",
        "//tracking/x/api/v1/metrics",
    ],
)
def test_unknown_paths_tell_strangers_nothing(server: Server, path: str) -> None:
    answer = _raw_get(server, path)
    assert answer.status_code == 401
    assert "/oauth/token" in answer.json()["error"]["message"]


@on_one_store
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


@on_one_store
@pytest.mark.parametrize("header", ["Bearer", "Bearer x.y.z", "Basic eDp5", "Token x", "", "bearer  x", "Bearer é"])
def test_a_wrong_header_is_refused(server: Server, header: str) -> None:
    answer = httpx.get(f"{server.url}/v2/lm/scenarios", headers=[(b"Authorization", header.encode())])
    assert answer.status_code == 401


@on_one_store
def test_two_tokens_are_refused(server: Server) -> None:
    token = f"Bearer {server.context.tokens.issue(server.client.id).value}"
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
