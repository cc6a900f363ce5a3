"""A generic secret belongs to a group, to the tenant, or to all groups: two headers say which."""

import base64
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from mooring.domain.roles import Role
from mooring.services import generic_secrets
from tests.api.api_server import Server

PATH = "/v2/admin/secrets"
TENANT = {"AI-Tenant-Scope": "true"}
EVERYWHERE = {**TENANT, "AI-Resource-Group": "*"}
HIDDEN = base64.b64encode(b"opensesame").decode()
LABEL = "ext.ai.sap.com/team"


@pytest.fixture
def name() -> str:
    return f"s-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def bound(server: Server, group: str) -> Iterator[httpx.Client]:
    with server.http_as(Role.ADMIN, [group], group=group) as client:
        yield client


def _create(http: httpx.Client, name: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return http.post(PATH, json={"name": name, "data": {"api-key": HIDDEN}}, headers=headers)


def _names(http: httpx.Client, headers: dict[str, str] | None = None) -> set[str]:
    return {item["name"] for item in http.get(PATH, headers=headers).json()["resources"]}


def test_the_life_of_a_secret(http: httpx.Client, name: str) -> None:
    labels = [{"key": LABEL, "value": "blue"}, {"key": f"{LABEL}.x", "value": "1"}, {"key": f"{LABEL}.y", "value": ""}]
    created = http.post(PATH, json={"name": name, "data": {"api-key": HIDDEN, "hf_token": ""}, "labels": labels})
    assert (created.status_code, created.json()) == (200, {"message": "Secret has been created", "name": name})
    shown = http.get(f"{PATH}/{name}").json()
    assert shown.pop("createdAt").endswith("Z")
    assert shown == {"name": name, "labels": labels[:2]}
    changes = [{"key": LABEL, "value": ""}, {"key": f"{LABEL}.z", "value": "2"}]
    changed = http.patch(f"{PATH}/{name}", json={"data": {"k": HIDDEN}, "labels": changes})
    assert (changed.status_code, changed.json()) == (200, {"message": "Secret has been modified", "name": name})
    assert http.get(f"{PATH}/{name}").json()["labels"] == [labels[1], changes[1]]
    assert http.get(PATH).json()["count"] == 1
    deleted = http.delete(f"{PATH}/{name}")
    assert (deleted.status_code, deleted.json()) == (200, {"message": "Secret has been deleted"})
    for answer in (
        http.get(f"{PATH}/{name}"),
        http.delete(f"{PATH}/{name}"),
        http.patch(f"{PATH}/{name}", json={"data": {"k": HIDDEN}}),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "01000404")


SCOPES = ["group", "default", "tenant", "all"]


@pytest.mark.parametrize(
    ("tenant", "header", "expected"),
    [
        ("true", None, "tenant"),
        ("True", None, "tenant"),
        ("true", "{group}", "tenant"),
        ("true", "no-such-group", "tenant"),
        ("true", "*", "all"),
        ("false", "{group}", "group"),
        (None, "{group}", "group"),
        ("false", None, "default"),
        (None, None, "default"),
    ],
)
def test_which_scope_the_headers_mean(
    server: Server, group: str, name: str, tenant: str | None, header: str | None, expected: str
) -> None:
    given = {"AI-Tenant-Scope": tenant, "AI-Resource-Group": header.format(group=group) if header else None}
    headers = {key: value for key, value in given.items() if value is not None}
    scopes = dict(zip(SCOPES, (group, "default", generic_secrets.TENANT, generic_secrets.ALL_GROUPS), strict=True))
    with server.http() as http:
        assert _create(http, name, headers).status_code == 200
        with server.database.reading() as session:
            assert generic_secrets.get(session, scopes[expected], name)
        assert name in _names(http, headers)
        for other in {*SCOPES} - {expected}:
            assert name not in _names(http, _headers_of(other, group))
        assert http.delete(f"{PATH}/{name}", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        [("AI-Resource-Group", "*")],
        [("AI-Resource-Group", "*"), ("AI-Tenant-Scope", "false")],
        [("AI-Resource-Group", "no-such-group")],
        [("AI-Resource-Group", "")],
        [("AI-Tenant-Scope", "yes")],
        [("AI-Tenant-Scope", "")],
        [("AI-Tenant-Scope", "true"), ("AI-Tenant-Scope", "false")],
        [("AI-Tenant-Scope", "true"), ("AI-Resource-Group", "*"), ("AI-Resource-Group", "default")],
    ],
)
def test_what_the_headers_cannot_mean(server: Server, name: str, headers: list[tuple[str, str]]) -> None:
    with server.http() as http:
        every = [*http.headers.multi_items(), *headers]
        body = {"name": name, "data": {"k": HIDDEN}}
        for method, path, json in (("GET", PATH, None), ("POST", PATH, body), ("DELETE", f"{PATH}/{name}", None)):
            answer = httpx.request(method, server.url + path, headers=every, json=json)
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "01000400"), answer.text


def test_a_bound_client_reads_the_tenants_names_and_writes_only_its_groups(
    server: Server, bound: httpx.Client, group: str, name: str
) -> None:
    assert _create(bound, name).status_code == 200
    with server.http() as operator:
        for headers in (TENANT, EVERYWHERE):
            assert _create(operator, name, headers).status_code == 200
            assert name in _names(bound, headers)
            assert bound.get(f"{PATH}/{name}", headers=headers).json()["name"] == name
            refused = [
                _create(bound, f"{name}-2", headers),
                bound.patch(f"{PATH}/{name}", json={"data": {"k": ""}}, headers=headers),
                bound.delete(f"{PATH}/{name}", headers=headers),
            ]
            assert [answer.status_code for answer in refused] == [403] * 3
            assert "AI-Tenant-Scope: false" in refused[0].json()["error"]["message"]
        shown = bound.get(f"{PATH}/{name}", headers=EVERYWHERE).json()
        assert shown["resourceGroupSecretsSyncStatus"] == {group: True}
        everywhere = operator.get(f"{PATH}/{name}", headers=EVERYWHERE).json()["resourceGroupSecretsSyncStatus"]
        assert everywhere.items() >= {group: True, "default": True}.items()
        for headers in (TENANT, EVERYWHERE):
            operator.delete(f"{PATH}/{name}", headers=headers).raise_for_status()
    assert bound.get(PATH, headers={"AI-Resource-Group": "default"}).status_code == 400


def test_a_name_is_taken_once_per_scope_however_many_try(server: Server, http: httpx.Client, name: str) -> None:
    def attempt(_number: int) -> int:
        with server.http(http.headers["AI-Resource-Group"]) as client:
            return _create(client, name).status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(attempt, range(6)))
    assert statuses == [200] + [409] * 5
    assert _create(http, name, TENANT).status_code == 200
    again = _create(http, name, TENANT)
    assert (again.status_code, name in again.json()["error"]["message"]) == (409, True)
    http.delete(f"{PATH}/{name}", headers=TENANT).raise_for_status()


def test_pages_and_totals(http: httpx.Client, name: str) -> None:
    for number in range(3):
        _create(http, f"{name}.{number}").raise_for_status()

    def page(query: str) -> tuple[int, list[str]]:
        shown = http.get(f"{PATH}?{query}").json()
        return shown["count"], [item["name"][-1] for item in shown["resources"]]

    assert page("") == (3, ["2", "1", "0"])
    assert page("$top=1&$skip=1") == (1, ["1"])
    assert page("$top=1&$count=true") == (3, ["2"])
    assert http.get(f"{PATH}?$top=-1").status_code == 400


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "n", "data": {"api-key": "opensesame!"}}, "api-key"),
        ({"name": "n", "data": {"api-key": "opensésame"}}, "api-key"),
        ({"name": "n", "data": {"api-key": "b3BlbnNlc2FtZQ"}}, "api-key"),
        ({"name": "n", "data": {"api-key": {"opensesame": 1}}}, "data.api-key"),
        ({"name": "n", "data": {"api-key": 7}}, "data.api-key"),
        ({"name": "n", "data": {"api-key": "\0"}}, "data.api-key"),
        ({"name": "n", "data": {"..": HIDDEN}}, "data"),
        ({"name": "n", "data": {"a/b": HIDDEN}}, "data"),
        ({"name": "n", "data": {"": HIDDEN}}, "data"),
        ({"name": "n", "data": {"k" * 254: HIDDEN}}, "data"),
        ({"name": "n", "data": {}}, "data"),
        ({"name": "n", "data": [HIDDEN]}, "data"),
        ({"name": "n"}, "data"),
        ({"data": {"k": HIDDEN}}, "name"),
        ({"name": "Upper", "data": {"k": HIDDEN}}, "name"),
        ({"name": "n" * 253, "data": {"k": HIDDEN}}, "name"),
        ({"name": "", "data": {"k": HIDDEN}}, "name"),
        ({"name": "n", "data": {"k": HIDDEN}, "labels": [{"key": "team", "value": "x"}]}, "labels"),
        ({"name": "n", "data": {"k": HIDDEN}, "labels": [{"key": LABEL, "value": "x"}] * 2}, LABEL),
    ],
)
def test_a_wrong_body_is_refused_by_its_field_and_its_value_not_repeated(
    http: httpx.Client, body: dict[str, object], field: str
) -> None:
    answer = http.post(PATH, json=body)
    assert answer.status_code == 400, answer.text
    assert field in answer.json()["error"]["message"]
    for value in ("opensesame", HIDDEN, "b3BlbnNlc2FtZQ"):
        assert value not in answer.text
    assert http.get(PATH).json()["count"] == 0


def test_odd_unicode_is_refused(http: httpx.Client) -> None:
    for data in (b'{"\\ud800": "YQ=="}', b'{"k": "\\ud800"}'):
        answer = http.post(
            PATH, content=b'{"name": "n", "data": ' + data + b"}", headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 400, answer.text


def test_base64_as_the_command_makes_it_is_taken(server: Server, http: httpx.Client, group: str, name: str) -> None:
    long = bytes(range(256))
    body = {"name": name, "data": {"k": base64.encodebytes(long).decode()}}
    assert http.post(PATH, json=body).status_code == 200
    with server.database.reading() as session:
        assert generic_secrets.opened(session, server.context.vault, group, name) == {"k": long}


def _headers_of(scope: str, group: str) -> dict[str, str]:
    return {
        "group": {"AI-Resource-Group": group},
        "default": {"AI-Resource-Group": "default"},
        "tenant": TENANT,
        "all": EVERYWHERE,
    }[scope]
