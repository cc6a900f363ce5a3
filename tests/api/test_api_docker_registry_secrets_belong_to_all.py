"""Docker registry secrets belong to the whole tenant: everybody may see their names, the operator's clients write."""

import json
import uuid
from collections.abc import Iterator

import httpx
import pytest

from mooring.domain.roles import Role
from mooring.services import docker_registry_secrets
from tests.api.api_server import Server

PATH = "/v2/admin/dockerRegistrySecrets"
HIDDEN = "opensesame"
CONFIG = json.dumps({"auths": {"images.example": {"username": "reader", "password": HIDDEN}}})


@pytest.fixture
def name(http: httpx.Client) -> Iterator[str]:
    chosen = f"d-{uuid.uuid4().hex[:12]}"
    yield chosen
    http.delete(f"{PATH}/{chosen}")


def _create(http: httpx.Client, name: str, config: object = CONFIG) -> httpx.Response:
    return http.post(PATH, json={"name": name, "data": {".dockerconfigjson": config}})


def test_the_life_of_a_secret(server: Server, http: httpx.Client, name: str) -> None:
    created = _create(http, name)
    assert (created.status_code, created.json()) == (202, {"message": "Docker registry secret has been created"})
    assert http.get(f"{PATH}/{name}").json() == {"name": name}
    listed = http.get(PATH).json()
    assert {"name": name} in listed["resources"]
    assert listed["count"] == len(listed["resources"])
    assert http.get(f"{PATH}?$count=true&$top=0").json() == {"count": listed["count"], "resources": []}
    other = CONFIG.replace("reader", "writer")
    for content_type in ("application/json", "application/merge-patch+json"):
        body = json.dumps({"data": {".dockerconfigjson": other}})
        changed = http.patch(f"{PATH}/{name}", content=body, headers={"Content-Type": content_type})
        assert (changed.status_code, changed.json()["id"]) == (202, name)
    with server.database.reading() as session:
        assert docker_registry_secrets.opened(session, server.context.vault, name) == json.loads(other)
    assert _create(http, name).status_code == 409
    deleted = http.delete(f"{PATH}/{name}")
    assert (deleted.status_code, deleted.json()["id"]) == (202, name)
    assert [http.request(method, f"{PATH}/{name}").status_code for method in ("GET", "DELETE")] == [404, 404]
    assert http.patch(f"{PATH}/{name}", json={"data": {".dockerconfigjson": CONFIG}}).status_code == 404


def test_a_bound_client_sees_names_only(server: Server, http: httpx.Client, group: str, name: str) -> None:
    _create(http, name).raise_for_status()
    with server.http_as(Role.ADMIN, [group], group=group) as bound:
        assert {"name": name} in bound.get(PATH).json()["resources"]
        assert bound.get(f"{PATH}/{name}").status_code == 200
        refused = [
            _create(bound, f"{name}-2"),
            bound.patch(f"{PATH}/{name}", json={"data": {".dockerconfigjson": CONFIG}}),
            bound.delete(f"{PATH}/{name}"),
        ]
    assert [answer.status_code for answer in refused] == [403] * 3


@pytest.mark.parametrize(
    "config",
    [
        HIDDEN,
        "",
        "null",
        json.dumps(HIDDEN),
        json.dumps({"auths": {}}),
        json.dumps({"auths": [HIDDEN]}),
        json.dumps({"auths": {"x": HIDDEN}}),
        json.dumps({"auths": {"x": {"username": HIDDEN}}}),
        json.dumps({"auths": {"x": {"username": HIDDEN, "password": ""}}}),
        json.dumps({"auths": {"x": {"auth": 7}}}),
        "[" * 100_000,
        {"auths": {HIDDEN: {}}},
        CONFIG + "\0",
    ],
)
def test_what_is_no_docker_config_is_refused_and_not_repeated(http: httpx.Client, name: str, config: object) -> None:
    answer = _create(http, name, config)
    assert (answer.status_code, ".dockerconfigjson" in answer.json()["error"]["message"]) == (400, True), answer.text
    assert HIDDEN not in answer.text


def test_other_keys_are_refused(http: httpx.Client, name: str) -> None:
    answer = http.post(PATH, json={"name": name, "data": {".dockerconfigjson": CONFIG, "more": HIDDEN}})
    message = answer.json()["error"]["message"]
    assert (answer.status_code, message) == (400, "data: must hold .dockerconfigjson and nothing else")
    assert HIDDEN not in answer.text


@pytest.mark.parametrize("wrong", ["", "a", "A-b", "-ab", "ab-", "a__b", "a" * 64, "a b", "a/b"])
def test_names_of_another_form_are_refused(http: httpx.Client, wrong: str) -> None:
    assert _create(http, wrong).status_code == 400


def test_an_entry_that_docker_has_written_is_taken(http: httpx.Client, name: str) -> None:
    hub = json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": "cmVhZGVyOnNlc2FtZQ=="}}, "HttpHeaders": {}})
    assert _create(http, name, hub).status_code == 202


def test_many_wrong_keys_are_one_finding(http: httpx.Client, name: str) -> None:
    data = {".dockerconfigjson": CONFIG, **{f"k{number}": "" for number in range(50_000)}}
    answer = http.post(PATH, json={"name": name, "data": data})
    (finding,) = answer.json()["error"]["details"]["fields"]
    assert (answer.status_code, finding["field"]) == (400, "data")
    assert finding["problem"] == "must hold .dockerconfigjson and nothing else"
