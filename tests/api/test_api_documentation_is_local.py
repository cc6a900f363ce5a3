"""The documentation page works without any other host, and its document describes what is served."""

import re
from pathlib import Path

import httpx
import pytest

from tests.api.api_server import Server


@pytest.fixture
def page(server: Server) -> httpx.Response:
    return httpx.get(f"{server.url}/docs")


def test_the_page_and_all_it_loads_are_served_here_without_a_token(server: Server, page: httpx.Response) -> None:
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    references = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    loaded = [reference for reference in references if reference != "/openapi.json"]
    assert len(loaded) == 5
    for reference in loaded:
        assert reference.startswith("/docs/static/")
        asset = httpx.get(server.url + reference)
        assert asset.status_code == 200
        assert asset.headers["content-type"].split(";")[0] in ("text/css", "text/javascript", "image/png")


def test_the_page_may_load_nothing_from_elsewhere(page: httpx.Response) -> None:
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"<script>|onclick|onload", page.text)


def test_the_document_needs_a_token_and_says_so(server: Server, http: httpx.Client) -> None:
    assert httpx.get(f"{server.url}/openapi.json").status_code == 401
    document = http.get("/openapi.json").json()
    assert document["paths"]["/v2/lm/deployments"]["post"]["security"] == [{"token": []}]
    assert document["paths"]["/oauth/token"]["post"]["security"] == []


def test_every_operation_documents_our_errors_and_none_of_the_frameworks(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            statuses = operation["responses"].keys()
            assert "422" not in statuses, path
            assert {"400", "401", "404", "default"} <= statuses, path
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert document["components"]["schemas"]["Deployment"]["properties"].keys() >= {"deploymentUrl", "createdAt"}


def test_no_framework_of_another_kind_is_imported(server: Server) -> None:
    source = Path(__file__).parents[2] / "src" / "mooring" / "api"
    assert not [file for file in source.rglob("*.py") if re.search(r"^\s*(import|from) flask", file.read_text(), re.M)]
