"""The Swagger page needs nothing from elsewhere, and its example works on the first click."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import pytest

if TYPE_CHECKING:
    from tests.modelserver.conftest import InProcess, Shelf

Server = Callable[..., "InProcess"]


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.inline = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.urls += [url for key in ("src", "href") if (url := found.get(key))]
        self.inline += tag == "style" or (tag == "script" and "src" not in found)
        self.inline += any(name.startswith("on") or name == "style" for name in found)


@pytest.mark.parametrize("prefix", ["", "/m"])
def test_all_of_the_page_is_local(prefix: str, shelf: "Shelf", ours: Server) -> None:
    server = ours(shelf.cancer)
    page = server.get(f"{prefix}/api/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    links = _Links()
    links.feed(page.text)
    assert len(links.urls) >= 5
    assert links.inline == 0
    for url in links.urls:
        assert not re.match(r"[a-z]+:|/", url), url
        asset = server.get(urljoin(f"{prefix}/api/", url))
        assert asset.status_code == 200, url
        # The bundle names the home pages of its authors in comments and texts; what is ours names none.
        assert "swagger" in url or not re.search(r"https?://", asset.text.replace("http://www.w3.org", "")), url


def test_redirections_are_relative(shelf: "Shelf", ours: Server) -> None:
    for path, target in (
        ("/", "/api/"),
        ("/api", "/api/"),
        ("/m", "/m/api/"),
        ("/m/", "/m/api/"),
        ("/m/api", "/m/api/"),
    ):
        answer = ours(shelf.iris).get(path, accept="text/html,*/*;q=0.8")
        assert answer.status_code == 307
        assert not answer.headers["location"].startswith("/")
        assert urljoin(path, answer.headers["location"]) == target


@pytest.mark.parametrize("model", ["cancer", "iris"])
@pytest.mark.parametrize("path", ["/invocations", "/v2/models/m/infer"])
def test_every_example_of_the_document_works(model: str, path: str, shelf: "Shelf", ours: Server) -> None:
    server = ours(getattr(shelf, model))
    document = server.get("/m/api/openapi.json").json()
    assert document["servers"] == [{"url": ".."}]
    examples = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert next(iter(examples)) == "The model's own input example"
    for example in examples.values():
        answer = server.post(f"/m{path}", json.dumps(example["value"]).encode())
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("model", ["bare", "typed", "tensors"])
@pytest.mark.parametrize("path", ["/invocations", "/v2/models/m/infer", "/v1/models/m:predict"])
def test_a_model_without_an_example_has_a_form_that_works(model: str, path: str, shelf: "Shelf", ours: Server) -> None:
    server = ours(getattr(shelf, model))
    document = server.get("/m/api/openapi.json").json()
    content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    for name, example in content.get("examples", {}).items():
        assert name != "The model's own input example"
        answer = server.post(f"/m{path}", json.dumps(example["value"]).encode())
        assert answer.status_code == 200, (example, answer.text)
    assert path != "/invocations" or content["examples"]


def test_csv_has_an_example_that_works(shelf: "Shelf", ours: Server) -> None:
    server = ours(shelf.cancer)
    document = server.get("/m/api/openapi.json").json()
    example = document["paths"]["/invocations"]["post"]["requestBody"]["content"]["text/csv"]["example"]
    assert server.post("/invocations", example.encode(), "text/csv").status_code == 200


def test_inputs_are_typed(shelf: "Shelf", ours: Server) -> None:
    document = ours(shelf.typed).get("/api/openapi.json").json()
    row = document["components"]["schemas"]["Row"]
    assert row["required"] == ["age", "visits", "weight", "ratio", "smoker", "city", "seen"]
    assert row["properties"]["age"] == {
        "type": "integer", "format": "int64", "minimum": -(2**63), "maximum": 2**63 - 1
    }  # fmt: skip
    assert row["properties"]["dose"]["type"] == ["number", "null"]
    assert row["properties"]["seen"] == {"type": "string", "format": "date-time"}
    forms: list[Any] = document["paths"]["/invocations"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]["oneOf"]
    assert [form["title"] for form in forms] == ["dataframe_split", "dataframe_records", "inputs", "instances"]
    assert forms[0]["properties"]["params"]["properties"]["factor"]["default"] == 1.5


def test_every_path_of_the_document_exists(shelf: "Shelf", ours: Server) -> None:
    server = ours(shelf.bare)
    for path, methods in server.get("/api/openapi.json").json()["paths"].items():
        answer = server.get(path) if "get" in methods else server.post(path, b"{}")
        assert answer.status_code in (200, 400), path
        assert str(answer.status_code) in next(iter(methods.values()))["responses"]


def test_the_page_without_a_token_tells_nothing_of_the_model(shelf: "Shelf", ours: Server) -> None:
    assert ours(shelf.typed).get("/api/").content == ours(shelf.iris).get("/m/api/").content
