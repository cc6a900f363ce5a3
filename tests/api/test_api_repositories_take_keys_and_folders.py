"""A repository opens with a private key as well as with a password; in folders they are the operator's to allow."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mooring.services import repositories
from mooring.store.tables import Repository
from tests.api.api_server import Server, running_server
from tests.api.test_api_errors_have_one_shape import error_of

PATH = "/v2/admin/repositories"
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n\ttab\n-----END OPENSSH PRIVATE KEY-----\n"


@pytest.fixture
def name() -> str:
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.mark.parametrize("key", [KEY, KEY.replace("\n", "\r\n"), f"\n{KEY}"], ids=["unix", "windows", "blank"])
def test_a_private_key_has_several_lines(http: httpx.Client, server: Server, name: str, key: str) -> None:
    body = {"name": name, "url": f"ssh://git@git.example/{name}", "username": "", "password": key}
    assert http.post(PATH, json=body).status_code == 200
    with server.database.reading() as session:
        kept = repositories.credentials_of(server.context.vault, session.get_one(Repository, name))
    assert kept.password == key


@pytest.mark.parametrize("key", [f"x\n{KEY}", KEY.replace("\t", "\0"), KEY.replace("\t", "\x1b")])
def test_what_is_no_key_is_one_line(http: httpx.Client, name: str, key: str) -> None:
    body = {"name": name, "url": f"ssh://git@git.example/{name}", "username": "", "password": key}
    refused = http.post(PATH, json=body)
    error_of(refused, 400)
    assert "password" in refused.text
    assert "b3BlbnNz" not in refused.text


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_folder_is_refused_in_words(http: httpx.Client, name: str, form: str) -> None:
    body = {"name": name, "url": form.format(f"/srv/{name}"), "username": "", "password": ""}
    refused = http.post(PATH, json=body)
    error_of(refused, 400)
    assert "MOORING_GIT_FOLDERS" in refused.text


@pytest.fixture(scope="module")
def open_http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Of a server whose operator allows one folder."""
    folder = tmp_path_factory.mktemp("api")
    with running_server(folder, local_git_folders=(Path("/srv/git"),)) as started, started.http() as client:
        yield client


@pytest.mark.parametrize("url", ["/srv/git/{0}", "file:///srv/git/team/{0}.git"])
def test_a_folder_that_is_allowed_is_taken(open_http: httpx.Client, name: str, url: str) -> None:
    body = {"url": url.format(name), "username": "", "password": ""}
    assert open_http.post(PATH, json=body).json()["id"] == name
    assert open_http.get(f"{PATH}/{name}").json()["url"] == url.format(name)
    application = {"repositoryUrl": f"{url.format(name)}/", "revision": "main", "path": "."}
    assert open_http.post("/v2/admin/applications", json=application).status_code == 200


@pytest.mark.parametrize("url", ["/srv/gitx", "/srv", "/srv/git/../x", "/srv/git/%2e%2e/x", "file:///srv/git/%2e%2e/x"])
def test_what_is_beside_it_is_not(open_http: httpx.Client, url: str) -> None:
    error_of(open_http.post(PATH, json={"url": url, "username": "", "password": ""}), 400)


def test_in_a_folder_case_matters(open_http: httpx.Client, name: str) -> None:
    for url, status in (
        (f"/srv/git/{name}", 200),
        (f"/srv/git/{name.upper()}", 200),
        (f"file:///srv/git/{name}/", 409),
    ):
        body = {"url": url, "username": "", "password": ""}
        assert open_http.post(PATH, json=body).status_code == status, url
