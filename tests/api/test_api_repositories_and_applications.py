"""Where templates come from: repositories and applications, as the AI API has them."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from ai_api_client_sdk.exception import AIAPIInvalidRequestException, AIAPINotFoundException
from ai_core_sdk.ai_core_v2_client import AICoreV2Client
from ai_core_sdk.models.repository_status import RepositoryStatus

from mooring.domain.roles import Role
from mooring.services import repositories
from mooring.store.tables import Application, Repository
from mooring.store.types import utc_now
from tests.api.api_server import Server
from tests.api.test_api_errors_have_one_shape import error_of
from tests.api.test_api_hostile_input_is_refused import BODIES, IDS

REPOSITORIES = "/v2/admin/repositories"
APPLICATIONS = "/v2/admin/applications"
PASSWORD = "hunter2-and-more"


@pytest.fixture
def name() -> str:
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def url(name: str) -> str:
    return f"https://git.example/org/{name}.git"


@pytest.fixture
def repository(http: httpx.Client, name: str, url: str) -> str:
    answer = http.post(REPOSITORIES, json=_repository(url, name=name))
    assert (answer.status_code, answer.json()) == (200, {"id": name, "message": "Repository created"})
    return name


@pytest.fixture
def application(http: httpx.Client, repository: str) -> str:
    answer = http.post(APPLICATIONS, json=_application(repositoryName=repository, applicationName=repository))
    assert (answer.status_code, answer.json()) == (200, {"id": repository, "message": "Application created"})
    return repository


@pytest.fixture
def bound(server: Server) -> Iterator[httpx.Client]:
    """An administrator of one resource group."""
    with server.http_as(Role.ADMIN, ["default"]) as client:
        yield client


def _repository(url: str, **more: object) -> dict[str, object]:
    return {"url": url, "username": "somebody", "password": PASSWORD, **more}


def _application(**more: object) -> dict[str, object]:
    return {"revision": "main", "path": "templates", **more}


def test_the_life_of_a_repository(http: httpx.Client, server: Server, repository: str, url: str) -> None:
    path = f"{REPOSITORIES}/{repository}"
    shown = {"name": repository, "url": url, "status": "IN-PROGRESS"}
    assert http.get(path).json() == shown
    assert shown in http.get(REPOSITORIES).json()["resources"]
    changed = http.patch(path, json={"username": "", "password": "swordfish"})
    assert (changed.status_code, changed.json()) == (200, {"id": repository, "message": "Repository modified"})
    with server.database.reading() as session:
        kept = repositories.credentials_of(server.context.vault, session.get_one(Repository, repository))
    assert (kept.username, kept.password) == ("", "swordfish")
    deleted = http.delete(path)
    assert (deleted.status_code, deleted.json()) == (200, {"id": repository, "message": "Repository deleted"})
    for gone in (http.get(path), http.delete(path), http.patch(path, json={"username": "u", "password": "p"})):
        error_of(gone, 404)


def test_the_life_of_an_application(http: httpx.Client, application: str, url: str) -> None:
    path = f"{APPLICATIONS}/{application}"
    shown = {"applicationName": application, "repositoryUrl": url, "revision": "main", "path": "templates"}
    assert http.get(path).json() == shown
    assert shown in http.get(APPLICATIONS).json()["resources"]
    changed = http.patch(path, json={"repositoryUrl": f"{url}/", "revision": "v2", "path": "."})
    assert (changed.status_code, changed.json()) == (200, {"id": application, "message": "Application modified"})
    assert http.get(path).json() == shown | {"repositoryUrl": f"{url}/", "revision": "v2", "path": "."}
    deleted = http.delete(path)
    assert (deleted.status_code, deleted.json()) == (200, {"id": application, "message": "Application deleted"})
    for gone in (http.get(path), http.get(f"{path}/status"), http.post(f"{path}/refresh"), http.delete(path)):
        error_of(gone, 404)


def test_before_the_first_sync_the_status_says_what_is_waited_for(
    http: httpx.Client, application: str, url: str
) -> None:
    status = http.get(f"{APPLICATIONS}/{application}/status").json()
    assert "first sync" in status.pop("message")
    assert status == {
        "healthStatus": "Unknown",
        "syncStatus": "OutOfSync",
        "source": {"repoURL": url, "path": "templates"},
        "syncResourcesStatus": [],
        "syncRessourcesStatus": [],
    }


def test_trap_11_a_refresh_leaves_synced_until_it_is_done(
    http: httpx.Client, server: Server, application: str, url: str
) -> None:
    path = f"{APPLICATIONS}/{application}"
    resources = [{"name": "demo", "kind": "ServingTemplate", "status": "Synced", "message": "x/demo created"}]
    _sync(server, application, resources)
    synced = http.get(f"{path}/status").json()
    assert (synced["healthStatus"], synced["syncStatus"], synced["message"]) == ("Healthy", "Synced", "done")
    assert synced["source"] == {"repoURL": url, "path": "templates", "revision": "c0ffee"}
    assert synced["syncResourcesStatus"] == synced["syncRessourcesStatus"] == resources
    assert {"syncStartedAt", "syncFinishedAt", "reconciledAt"} <= synced.keys()
    wakes = len(server.wakes)
    refreshed = http.post(f"{path}/refresh")
    assert (refreshed.status_code, refreshed.json()["id"]) == (202, application)
    assert refreshed.json()["message"]
    assert len(server.wakes) > wakes
    status = http.get(f"{path}/status").json()
    assert (status["syncStatus"], status["source"], status["syncResourcesStatus"]) == (
        "OutOfSync",
        synced["source"],
        resources,
    )
    with server.database.reading() as session:
        row = session.get_one(Application, application)
        assert row.refresh_requested_at is not None
        assert row.sync_started_at is not None
        assert row.refresh_requested_at > row.sync_started_at


def test_a_changed_source_is_to_be_synced(http: httpx.Client, server: Server, application: str, url: str) -> None:
    path = f"{APPLICATIONS}/{application}"
    _sync(server, application, [])
    http.patch(path, json={"repositoryUrl": url, "revision": "v2", "path": "templates"}).raise_for_status()
    status = http.get(f"{path}/status").json()
    assert (status["syncStatus"], status["healthStatus"]) == ("OutOfSync", "Unknown")
    assert status["source"] == {"repoURL": url, "path": "templates"}
    assert not {"syncStartedAt", "syncFinishedAt", "reconciledAt"} & status.keys()


def test_a_repository_or_an_application_is_there_once(
    http: httpx.Client, repository: str, application: str, url: str
) -> None:
    same_url = http.post(REPOSITORIES, json=_repository(url.replace("org", "ORG") + "/"))
    same_name = http.post(REPOSITORIES, json=_repository(url + "x", name=repository))
    same_folder = http.post(APPLICATIONS, json=_application(repositoryUrl=f"{url}/", path="./templates/"))
    same_application = http.post(
        APPLICATIONS, json=_application(repositoryUrl=url, path="other", applicationName=application)
    )
    for refused in (same_url, same_name, same_folder, same_application):
        assert repository in error_of(refused, 409)["message"]
    other = http.post(APPLICATIONS, json=_application(repositoryUrl=url, path="other")).json()["id"]
    to_the_same = http.patch(
        f"{APPLICATIONS}/{other}", json={"repositoryUrl": url, "revision": "main", "path": "templates"}
    )
    assert application in error_of(to_the_same, 409)["message"]
    to_itself = http.patch(f"{APPLICATIONS}/{other}", json={"repositoryUrl": url, "revision": "main", "path": "other"})
    assert to_itself.status_code == 200


def test_a_repository_in_use_stays(http: httpx.Client, repository: str, application: str) -> None:
    refused = http.delete(f"{REPOSITORIES}/{repository}")
    assert application in error_of(refused, 409)["message"]
    http.delete(f"{APPLICATIONS}/{application}").raise_for_status()
    assert http.delete(f"{REPOSITORIES}/{repository}").status_code == 200


@pytest.mark.parametrize("content_type", ["application/json", "application/merge-patch+json"])
def test_trap_21_both_content_types(http: httpx.Client, application: str, url: str, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    source = {"repositoryUrl": url, "revision": "v2", "path": "templates"}
    credentials = {"username": "u", "password": "p"}
    assert http.patch(f"{APPLICATIONS}/{application}", json=source, headers=headers).status_code == 200
    assert http.patch(f"{REPOSITORIES}/{application}", json=credentials, headers=headers).status_code == 200


def test_names_are_generated(http: httpx.Client, name: str, url: str) -> None:
    ids = [http.post(REPOSITORIES, json=_repository(each)).json()["id"] for each in (url, f"{url}/{name}", f"{url}2")]
    assert ids == [name, f"{name}-2", f"{name}-git2"]
    made = [
        http.post(APPLICATIONS, json=_application(repositoryUrl=url, path=path)).json()["id"]
        for path in (".", "a/Ä b", "a-b", "x" * 200)
    ]
    assert made == [name, f"{name}-a-b", f"{name}-a-b-2", f"{name}-{'x' * 40}"]


def test_lists_have_pages_and_totals(http: httpx.Client, repository: str) -> None:
    for path in ("a", "b", "c"):
        http.post(APPLICATIONS, json=_application(repositoryName=repository, path=path)).raise_for_status()
    for noun, key in ((APPLICATIONS, "applicationName"), (REPOSITORIES, "name")):
        everything = http.get(noun).json()
        names = [item[key] for item in everything["resources"]]
        total = everything["count"]
        assert total == len(names) == len(set(names))
        for query, count, expected in (
            ("%24top=1", 1, names[:1]),
            ("$top=1&$skip=1&$count=false", min(1, total - 1), names[1:2]),
            ("$top=1&$count=True", total, names[:1]),
            ("$top=0&$count=true", total, []),
            ("$skip=100000", 0, []),
        ):
            page = http.get(f"{noun}?{query}").json()
            assert (page["count"], [item[key] for item in page["resources"]]) == (count, expected), query
    newest_first = [item["path"] for item in http.get(APPLICATIONS).json()["resources"]]
    assert newest_first[:3] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "ext::sh -c x"}, "url"),
        ({"url": "file:///etc"}, "url"),
        ({"url": "-uhttps://git.example/r"}, "url"),
        ({"url": "https://git.example/r\0"}, "url"),
        ({"url": ""}, "url"),
        ({"url": None}, "url"),
        ({"url": "https://git.example/" + "x" * 1024}, "url"),
        ({"name": "Upper"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 52}, "name"),
        ({"name": "a\n"}, "name"),
        ({"username": "a\nhost=evil.example"}, "username"),
        ({"username": None}, "username"),
        ({"username": "x" * 256}, "username"),
        ({"password": f"{PASSWORD}\n"}, "password"),
        ({"password": f"{PASSWORD}\0"}, "password"),
        ({"password": [PASSWORD]}, "password"),
        ({"password": PASSWORD * 1000}, "password"),
        ({"url": f"https://somebody:{PASSWORD}@git.example/r"}, "url"),
    ],
)
def test_repositories_are_checked(
    http: httpx.Client, name: str, url: str, change: dict[str, object], field: str
) -> None:
    message = error_of(http.post(REPOSITORIES, json=_repository(url, name=name) | change), 400)["message"]
    assert message.startswith(f"{field}: ")
    assert PASSWORD not in message
    assert http.get(f"{REPOSITORIES}/{name}").status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"revision": "--upload-pack=x"}, "revision"),
        ({"revision": "a..b"}, "revision"),
        ({"revision": ""}, "revision"),
        ({"revision": "a\0"}, "revision"),
        ({"revision": 1}, "revision"),
        ({"path": "../x"}, "path"),
        ({"path": "/etc"}, "path"),
        ({"path": "a\0"}, "path"),
        ({"path": ""}, "path"),
        ({"applicationName": "ab"}, "applicationName"),
        ({"applicationName": "x" * 55}, "applicationName"),
        ({"applicationName": "a_b"}, "applicationName"),
        ({"repositoryName": "no-such-repository"}, "repositoryName"),
        ({"repositoryName": "a\0b"}, "repositoryName"),
        ({"repositoryName": None, "repositoryUrl": "https://git.example/unknown"}, "repositoryUrl"),
        ({"repositoryName": None, "repositoryUrl": "ext::sh"}, "repositoryUrl"),
        ({"repositoryUrl": "https://git.example/both"}, "body"),
        ({"repositoryName": None}, "body"),
    ],
)
def test_applications_are_checked(http: httpx.Client, repository: str, change: dict[str, object], field: str) -> None:
    valid = _application(repositoryName=repository, applicationName=repository)
    assert error_of(http.post(APPLICATIONS, json=valid | change), 400)["message"].startswith(f"{field}: ")
    assert http.get(f"{APPLICATIONS}/{repository}").status_code == 404


def test_a_wrong_change_changes_nothing(http: httpx.Client, application: str, url: str) -> None:
    path = f"{APPLICATIONS}/{application}"
    before = http.get(path).json()
    valid = {"repositoryUrl": url, "revision": "v2", "path": "."}
    for change in ({"revision": "-x"}, {"path": ".."}, {"repositoryUrl": "https://git.example/unknown"}):
        error_of(http.patch(path, json=valid | change), 400)
    for missing in valid:
        error_of(http.patch(path, json={key: value for key, value in valid.items() if key != missing}), 400)
    assert http.get(path).json() == before


def test_of_two_at_once_one_is_made(server: Server, http: httpx.Client, name: str, url: str) -> None:
    bodies = [_repository(url, name=name), _repository(url)] * 4
    assert _at_once(server, REPOSITORIES, bodies) == [200] + [409] * 7
    applications = [_application(repositoryUrl=url, applicationName=name)] * 6
    assert _at_once(server, APPLICATIONS, applications) == [200] + [409] * 5


def test_no_application_is_left_without_its_repository(server: Server, http: httpx.Client, name: str, url: str) -> None:
    for number in range(5):
        http.post(REPOSITORIES, json=_repository(url, name=name)).raise_for_status()
        with ThreadPoolExecutor(2) as pool, server.http() as other:
            body = _application(repositoryUrl=url, path=str(number), applicationName=name)
            made = pool.submit(http.post, APPLICATIONS, json=body)
            removed = pool.submit(other.delete, f"{REPOSITORIES}/{name}")
            statuses = (made.result().status_code, removed.result().status_code)
        assert statuses in ((200, 409), (400, 200))
        http.delete(f"{APPLICATIONS}/{name}")
        http.delete(f"{REPOSITORIES}/{name}")


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_hostile_bodies(http: httpx.Client, body: bytes) -> None:
    for method, path in (
        ("POST", REPOSITORIES),
        ("PATCH", f"{REPOSITORIES}/none"),
        ("POST", APPLICATIONS),
        ("PATCH", f"{APPLICATIONS}/none"),
    ):
        answer = http.request(method, path, content=body, headers={"Content-Type": "application/json"})
        error_of(answer, 400)


@pytest.mark.parametrize("hostile", IDS)
@pytest.mark.parametrize("noun", [REPOSITORIES, APPLICATIONS])
def test_hostile_names(server: Server, http: httpx.Client, noun: str, hostile: str) -> None:
    url = httpx.URL(server.url).copy_with(raw_path=f"{noun}/{hostile}".encode())
    answer = http.send(httpx.Request("GET", url, headers=http.headers))
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["message"]


def test_what_belongs_to_the_tenant_is_not_changed_by_a_client_of_one_group(
    bound: httpx.Client, http: httpx.Client, application: str, url: str
) -> None:
    credentials = {"username": "u", "password": "p"}
    for refused in (
        bound.post(REPOSITORIES, json=_repository(url + "x")),
        bound.patch(f"{REPOSITORIES}/{application}", json=credentials),
        bound.delete(f"{REPOSITORIES}/{application}"),
        bound.post(APPLICATIONS, json=_application(repositoryUrl=url, path="x")),
        bound.patch(f"{APPLICATIONS}/{application}", json=_application(repositoryUrl=url, path="x")),
        bound.post(f"{APPLICATIONS}/{application}/refresh"),
        bound.delete(f"{APPLICATIONS}/{application}"),
    ):
        error_of(refused, 403)
    assert http.get(f"{APPLICATIONS}/{application}").json()["path"] == "templates"


def test_the_python_sdk(server: Server, group: str, name: str, url: str) -> None:
    sdk: Any = AICoreV2Client(
        base_url=f"{server.url}/v2",
        auth_url=f"{server.url}/oauth/token",
        client_id=server.client.id,
        client_secret=server.client.secret,
        resource_group=group,
    )
    assert sdk.repositories.create(name, url, "somebody", PASSWORD).message
    found = sdk.repositories.get(name)
    assert (found.name, found.url, found.status) == (name, url, RepositoryStatus.IN_PROGRESS)
    assert name in {item.name for item in sdk.repositories.query().resources}
    assert sdk.repositories.modify(name, "other", "secret").id == name

    made = sdk.applications.create("main", "templates", name, repository_name=name)
    assert made.id == name
    by_url = sdk.applications.create("main", "more", repository_url=url).id
    assert {name, by_url} <= {item.application_name for item in sdk.applications.query().resources}
    assert sdk.applications.modify(name, url, "elsewhere", "v2").id == name
    shown = sdk.applications.get(name)
    assert (shown.repository_url, shown.path, shown.revision) == (url, "elsewhere", "v2")
    assert sdk.applications.refresh(name).id == name
    _sync(server, name, [{"name": "demo", "kind": "ServingTemplate", "status": "Synced", "message": "m"}])
    status = sdk.applications.get_status(name)
    assert (status.sync_status, status.source.repourl, status.source.revision) == ("Synced", url, "c0ffee")
    assert [item.name for item in status.sync_resources_status] == ["demo"]
    with pytest.raises(AIAPIInvalidRequestException):
        sdk.applications.create("main", "..", repository_name=name)
    for each in (name, by_url):
        assert sdk.applications.delete(each).id == each
    assert sdk.repositories.delete(name).id == name
    for get in (sdk.repositories.get, sdk.applications.get, sdk.applications.get_status, sdk.applications.refresh):
        with pytest.raises(AIAPINotFoundException):
            get(name)


def _sync(server: Server, application: str, resources: list[dict[str, Any]]) -> None:
    """What the controller records."""
    with server.database.transaction() as session:
        row = session.get_one(Application, application)
        row.health_status, row.sync_status, row.message = "Healthy", "Synced", "done"
        row.sync_started_at = row.sync_finished_at = row.reconciled_at = utc_now()
        row.synced_revision, row.resources = "c0ffee", resources


def _at_once(server: Server, path: str, bodies: list[dict[str, object]]) -> list[int]:
    def post(body: dict[str, object]) -> int:
        with server.http() as http:
            return http.post(path, json=body).status_code

    with ThreadPoolExecutor(len(bodies)) as pool:
        return sorted(pool.map(post, bodies))
