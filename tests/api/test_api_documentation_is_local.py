"""The documentation page works without any other host, and its document describes what is served."""

import re
from pathlib import Path

import httpx
import pytest

from tests.api.api_server import Server

_PARAMETER = re.compile(r"\{\w+\}")


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


def test_the_page_is_found_with_a_slash_too(server: Server, page: httpx.Response) -> None:
    assert httpx.get(f"{server.url}/docs/", follow_redirects=True).content == page.content


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


def test_every_operation_documents_the_errors_that_it_can_answer_and_no_others(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            statuses = operation["responses"].keys()
            assert not {"422", "default", "405", "500"} & statuses, path
            if path.startswith("/v2/"):
                assert {"401", "503"} <= statuses, path
                assert ("404" in statuses) >= ("{" in path), path
                assert ("403" in statuses) >= (method != "get"), path
                assert ("413" in statuses) == ("requestBody" in operation), path
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert document["components"]["schemas"]["Deployment"]["properties"].keys() >= {"deploymentUrl", "createdAt"}


def test_the_chapters_are_in_the_order_of_need(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    chapters = [tag["name"] for tag in document["tags"]]
    assert (chapters[0], chapters[-1]) == ("Scenario", "Token")
    assert [tag["name"] for tag in document["tags"] if not tag.get("description")] == []


def test_every_json_body_has_an_example_that_is_accepted(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body is None:
                continue
            assert "example" in body, (method, path)
            answer = http.request(method, _PARAMETER.sub("none-such", path), json=body["example"])
            assert '"fields"' not in answer.text, (method, path, answer.text)


def test_no_framework_of_another_kind_is_imported(server: Server) -> None:
    source = Path(__file__).parents[2] / "src" / "mooring" / "api"
    assert not [file for file in source.rglob("*.py") if re.search(r"^\s*(import|from) flask", file.read_text(), re.M)]
