"""No url, revision or path gets in that could be an option, a program, or a place that git should not read."""

import uuid

import httpx
import pytest

from tests.api.test_api_errors_have_one_shape import error_of

URLS = [
    "",
    ".",
    "/etc",
    "file:///etc",
    "../x",
    "~/x",
    "-oProxyCommand=touch /tmp/x",
    "--upload-pack=touch /tmp/x",
    "ext::sh -c 'touch /tmp/x'",
    "fd::17",
    "https::ext::sh",
    "ssh://-oProxyCommand=x/y",
    "ssh://git@-oProxyCommand=x/y",
    "git@-oProxyCommand=x:y",
    "git@host:-x",
    "git@host:../../etc",
    "git://host/x",
    "ftp://host/x",
    "HTTPS://host/x y",
    "https://host",
    "https://host/",
    "https://host//x",
    "https://host/x/../y",
    "https://host/%2e%2e/y",
    "https://host/%252e%252e/y",
    "https://host/x%00",
    "https://host/x%0a",
    "https://host/x\x00",
    "https://host/x\n",
    "https://host\\@evil/x",
    "https://host/x?y",
    "https://host/x#y",
    "https://host:0/x",
    "https://host:99999/x",
    "https://user:hunter22@host/x",
    "https://token@host/x",
    "https://höst/x",
    "https://host/\u202ex",
    "https://host/" + "x" * 2000,
    "https://[::1/x",
    "`touch /tmp/x`@host:x",
    "$(id)@host:x",
]
REVISIONS = [
    "",
    "-",
    "--upload-pack=x",
    "-u x",
    "main:refs/heads/x",
    "+main:x",
    "main..x",
    "main^",
    "main~1",
    "@{-1}",
    "@",
    "*",
    "main\x00",
    "main\n",
    "/main",
    "main/",
    "main.lock",
    ".main",
    "a//b",
    "\\x",
    "x" * 300,
    "\u202emain",
]
PATHS = [
    "",
    "/",
    "/etc",
    "..",
    "../x",
    "a/../../b",
    "-x",
    "--x",
    ":/x",
    ":(glob)x",
    "a\x00",
    "a\nb",
    "a\\..\\b",
    "x" * 2000,
]


@pytest.fixture
def repository(http: httpx.Client) -> str:
    name = f"t{uuid.uuid4().hex[:12]}"
    body = {"name": name, "url": f"https://git.example/{name}", "username": "u", "password": "p"}
    assert http.post("/v2/admin/repositories", json=body).status_code == 200
    return name


@pytest.mark.parametrize("url", URLS)
def test_urls(http: httpx.Client, url: str) -> None:
    repository = http.post("/v2/admin/repositories", json={"url": url, "username": "u", "password": "p"})
    application = http.post("/v2/admin/applications", json={"repositoryUrl": url, "revision": "main", "path": "."})
    for answer, field in ((repository, "url"), (application, "repositoryUrl")):
        error_of(answer, 400)
        assert field in answer.text
        assert "hunter22" not in answer.text


@pytest.mark.parametrize(
    ("field", "value"), [*(("revision", each) for each in REVISIONS), *(("path", each) for each in PATHS)]
)
def test_revisions_and_paths(http: httpx.Client, repository: str, field: str, value: str) -> None:
    body = {"repositoryName": repository, "applicationName": repository, "revision": "main", "path": "."}
    refused = http.post("/v2/admin/applications", json=body | {field: value})
    error_of(refused, 400)
    assert field in refused.text
    assert http.post("/v2/admin/applications", json=body).status_code == 200
    change = {"repositoryUrl": f"https://git.example/{repository}", "revision": "main", "path": ".", field: value}
    error_of(http.patch(f"/v2/admin/applications/{repository}", json=change), 400)
    assert http.get(f"/v2/admin/applications/{repository}").json()[field] == body[field]
