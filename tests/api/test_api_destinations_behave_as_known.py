"""Destinations as SAP's Destination service has them: the reference's section 8, field for field."""

import base64
import uuid
from collections.abc import Iterator

import httpx
import pytest

from mooring.domain.roles import Role
from mooring.services import clients
from mooring.store.tables import Destination
from tests.api.api_server import Server
from tests.gateway.world import wait_until

V1, V2 = "/destination-configuration/v1", "/destination-configuration/v2"
LEVELS = ("subaccountDestinations", "instanceDestinations")


@pytest.fixture
def service(server: Server) -> Iterator[httpx.Client]:
    """A client that may have to do with destinations and with nothing else."""
    with server.http_as(Role.DESTINATIONS, ()) as client:
        yield client


@pytest.fixture
def name() -> str:
    return f"wine-{uuid.uuid4().hex[:8]}"


def script_body(server: Server, name: str, deployment: str = "d0123456789abcde") -> dict[str, str]:
    """As the public script sends it."""
    return {
        "Description": "made by CI",
        "Type": "HTTP",
        "clientId": server.client.id,
        "Authentication": "OAuth2ClientCredentials",
        "Name": name,
        "tokenServiceURL": f"{server.url}/oauth/token",
        "ProxyType": "Internet",
        "URL": f"{server.url}/v2/inference/deployments/{deployment}",
        "tokenServiceURLType": "Dedicated",
        "clientSecret": server.client.secret,
    }


def plain(name: str, **more: object) -> dict[str, object]:
    common = {"Name": name, "Type": "HTTP", "URL": "https://host.example/x", "ProxyType": "Internet"}
    return {**common, "Authentication": "NoAuthentication", **more}


def message(answer: httpx.Response, status: int) -> str:
    """The words of an error, which is nothing but words."""
    assert answer.status_code == status, answer.text
    content = answer.json()
    assert list(content) == ["ErrorMessage"]
    return str(content["ErrorMessage"])


@pytest.mark.parametrize("level", LEVELS)
def test_the_script_posts_and_then_puts(server: Server, service: httpx.Client, name: str, level: str) -> None:
    answer = httpx.post(
        f"{server.url}/oauth/token?grant_type=client_credentials", auth=(server.client.id, server.client.secret)
    )
    assert answer.status_code == 200
    body = script_body(server, name)
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    created = httpx.post(f"{server.url}{V1}/{level}", json=body, headers=headers)
    assert (created.status_code, created.content) == (201, b"")
    again = service.post(f"{V1}/{level}", json=body)
    assert name in message(again, 409)
    replaced = service.put(f"{V1}/{level}", json={**body, "URL": "https://elsewhere.example"})
    assert (replaced.status_code, replaced.json()) == (200, {"Count": 1})
    found = service.get(f"{V1}/{level}/{name}")
    assert found.json() == {**body, "URL": "https://elsewhere.example"}
    assert found.headers["etag"] == '"2"'
    assert service.delete(f"{V1}/{level}/{name}").json() == {"Count": 1}
    for absent in (
        service.get(f"{V1}/{level}/{name}"),
        service.put(f"{V1}/{level}", json=body),
        service.delete(f"{V1}/{level}/{name}"),
        service.get(f"{V1}/destinations/{name}"),
    ):
        assert name in message(absent, 404)


def test_a_list_is_a_bare_array_that_can_be_filtered_and_paged(service: httpx.Client, name: str) -> None:
    names = [f"{name}.{number}" for number in range(5)]
    assert service.post(f"{V1}/{LEVELS[0]}", json=[plain(each) for each in names]).status_code == 201
    wanted = "Name in (" + ",".join(f"'{each}'" for each in [*names, "nobody"]) + ")"

    def ask(**query: str | int) -> httpx.Response:
        return service.get(f"{V1}/{LEVELS[0]}", params={"$filter": wanted, **query})

    assert [each["Name"] for each in ask().json()] == names
    assert ask(**{"$select": "Name"}).json() == [{"Name": each} for each in names]
    assert not {"page-count", "entity-count", "link"} & set(ask().headers)
    second = ask(**dict[str, str | int]({"$page": 2, "$pageSize": 2, "$pageCount": "true", "$entityCount": "true"}))
    assert [each["Name"] for each in second.json()] == names[2:4]
    assert (second.headers["page-count"], second.headers["entity-count"]) == ("3", "5")
    links = {kind: link["url"] for kind, link in second.links.items()}
    assert set(links) == {"first", "prev", "next", "last"}
    assert [each["Name"] for each in service.get(links["next"]).json()] == names[4:]
    assert ask(**{"$page": 4, "$pageSize": 2}).json() == []
    assert service.get(f"{V1}/{LEVELS[1]}", params={"$filter": wanted}).json() == []
    everything = service.get(f"{V1}/{LEVELS[0]}").json()
    assert isinstance(everything, list)
    assert set(names) <= {each["Name"] for each in everything}
    for key, value in (("$filter", "URL eq 'x'"), ("$page", "0"), ("$select", "URL"), ("$pageSize", "5000")):
        message(service.get(f"{V1}/{LEVELS[0]}", params={key: value}), 400)


def test_arrays_tell_what_became_of_each(service: httpx.Client, name: str) -> None:
    bad = plain(f"{name}-bad", ProxyType="Pigeon")
    made = service.post(f"{V1}/{LEVELS[0]}", json=[plain(name), plain(name), bad])
    assert made.status_code == 207
    first, second, third = made.json()
    assert first == {"name": name, "status": 201, "etag": '"1"'}
    assert (second["status"], third["status"], third["name"]) == (409, 400, f"{name}-bad")
    assert "ProxyType" in third["cause"]
    put = service.put(f"{V1}/{LEVELS[0]}", json=[plain(name, Description="x"), plain("nobody-has-this")])
    assert put.status_code == 207
    assert [each["status"] for each in put.json()] == [200, 404]
    assert service.put(f"{V1}/{LEVELS[0]}", json=[plain(name)]).status_code == 207
    none_at_all: tuple[object, ...] = ([], "x", 7, None)
    for wrong in none_at_all:
        message(service.put(f"{V1}/{LEVELS[0]}", json=wrong), 400)
    odd = service.put(f"{V1}/{LEVELS[0]}", json=[1, []])
    assert [(each["status"], each["name"]) for each in odd.json()] == [(400, None), (400, None)]


def test_labels_are_set_added_and_deleted(service: httpx.Client, name: str) -> None:
    service.post(f"{V1}/{LEVELS[0]}", json=plain(name)).raise_for_status()
    at = f"{V1}/{LEVELS[0]}/{name}/labels"
    assert service.get(at).json() == []
    labels = [{"key": "env", "values": ["prod", "test"]}]
    assert service.put(at, json=labels).json() == labels

    def patch(action: str, key: str, *values: str) -> list[dict[str, object]]:
        body = {"action": action, "labels": [{"key": key, "values": list(values)}]}
        service.patch(at, json=body).raise_for_status()
        found: list[dict[str, object]] = service.get(at).json()
        return found

    assert patch("ADD", "env", "prod", "dev") == [{"key": "env", "values": ["prod", "test", "dev"]}]
    assert patch("DELETE", "env", "test") == [{"key": "env", "values": ["prod", "dev"]}]
    assert patch("ADD", "team", "blue")[1] == {"key": "team", "values": ["blue"]}
    assert patch("DELETE", "env") == [{"key": "team", "values": ["blue"]}]
    service.put(f"{V1}/{LEVELS[0]}", json=plain(name)).raise_for_status()
    assert service.get(at).json() == [{"key": "team", "values": ["blue"]}], "a move changes no label"
    wrong_patches: tuple[object, ...] = (
        {},
        [],
        {"action": "MOVE", "labels": []},
        {"action": "ADD", "labels": [{"key": "k"}]},
    )
    for wrong in wrong_patches:
        message(service.patch(at, json=wrong), 400)
    message(service.put(at, json=[{"key": "", "values": ["x"]}]), 400)
    message(service.get(f"{V1}/{LEVELS[0]}/nobody/labels"), 404)


def test_find_gives_a_token_that_works(server: Server, service: httpx.Client, name: str) -> None:
    body = script_body(server, name)
    service.post(f"{V1}/{LEVELS[0]}", json=body).raise_for_status()
    found = service.get(f"{V1}/destinations/{name}").json()
    assert found["owner"] == {"SubaccountId": "mooring", "InstanceId": None}
    assert found["destinationConfiguration"] == body
    (token,) = found["authTokens"]
    assert (token["type"], token["http_header"]["key"]) == ("Bearer", "Authorization")
    assert token["http_header"]["value"] == f"Bearer {token['value']}"
    assert isinstance(token["expires_in"], str)
    assert int(token["expires_in"]) > 3600
    headers = {token["http_header"]["key"]: token["http_header"]["value"]}
    assert httpx.get(f"{server.url}/v2/lm/scenarios", headers=headers).status_code == 200
    again = service.get(f"{V2}/destinations/{name}").json()
    assert again["authTokens"][0]["value"] == token["value"], "kept for a while"
    without = service.get(f"{V1}/destinations/{name}", params={"$skipTokenRetrieval": "true"}).json()
    assert set(without) == {"owner", "destinationConfiguration"}


def test_a_token_that_is_not_to_be_had_is_told_inside(server: Server, service: httpx.Client, name: str) -> None:
    wrong = {
        "secret": {"clientSecret": "wrong-secret"},
        "loopback": {"tokenServiceURL": "http://127.0.0.2:1/oauth/token"},
        "metadata": {"tokenServiceURL": "http://169.254.169.254/latest/meta-data/"},
        "nobody": {"tokenServiceURL": "http://no-such-host.invalid/oauth/token"},
        "kind": {"Authentication": "OAuth2SAMLBearerAssertion"},
    }
    reasons = {}
    for kind, changes in wrong.items():
        body = {**script_body(server, f"{name}-{kind}"), **changes}
        service.post(f"{V1}/{LEVELS[0]}", json=body).raise_for_status()
        answer = service.get(f"{V1}/destinations/{name}-{kind}")
        assert answer.status_code == 200
        (token,) = answer.json()["authTokens"]
        assert token["value"] == ""
        reasons[kind] = token["error"]
        assert "wrong-secret" not in token["error"]
    assert "401: Bad credentials" in reasons["secret"]
    assert "destination_hosts" in reasons["loopback"]
    assert "destination_hosts" in reasons["metadata"]
    assert "no-such-host.invalid" in reasons["nobody"]
    assert "OAuth2SAMLBearerAssertion" in reasons["kind"]


def test_find_looks_at_the_instance_first_unless_told(service: httpx.Client, name: str) -> None:
    for level in LEVELS:
        body = plain(name, Description=level, Authentication="BasicAuthentication", User="u", Password="p:ä")
        service.post(f"{V1}/{level}", json=body).raise_for_status()

    def description(path: str) -> str:
        return str(service.get(path).json()["destinationConfiguration"]["Description"])

    assert description(f"{V1}/destinations/{name}") == description(f"{V2}/destinations/{name}") == LEVELS[1]
    assert description(f"{V2}/destinations/{name}@instance") == LEVELS[1]
    assert description(f"{V2}/destinations/{name}@subaccount") == LEVELS[0]
    found = service.get(f"{V1}/destinations/{name}").json()
    assert found["owner"]["InstanceId"] is not None
    basic = base64.b64encode("u:p:ä".encode()).decode()
    assert found["authTokens"] == [
        {"type": "Basic", "value": basic, "http_header": {"key": "Authorization", "value": f"Basic {basic}"}}
    ]
    message(service.get(f"{V2}/destinations/{name}@moon"), 404)
    message(service.get(f"{V1}/destinations/{name}@subaccount"), 404)
    message(service.get(f"{V1}/moonDestinations"), 404)


def test_any_property_is_kept_as_a_text(service: httpx.Client, name: str) -> None:
    given = plain(name, **{"sap-client": 100, "TrustAll": True, "URL.headers.AI-Resource-Group": "team", "x.y": "ü"})
    service.post(f"{V1}/{LEVELS[0]}", json=given).raise_for_status()
    kept = service.get(f"{V1}/{LEVELS[0]}/{name}").json()
    assert kept == {**given, "sap-client": "100", "TrustAll": "true"}
    for kind in ("RFC", "LDAP", "MAIL", "TCP"):
        assert service.post(f"{V1}/{LEVELS[0]}", json={"Name": f"{name}-{kind}", "Type": kind}).status_code == 201


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"Name": None}, "Name"),
        ({"Name": ""}, "Name"),
        ({"Name": "a b"}, "Name"),
        ({"Name": "a/b"}, "Name"),
        ({"Name": ".."}, "Name"),
        ({"Name": "n" * 201}, "Name"),
        ({"Type": "FTP"}, "Type"),
        ({"URL": ""}, "URL"),
        ({"URL": "ftp://x"}, "URL"),
        ({"URL": "http://"}, "URL"),
        ({"URL": "https://a b"}, "URL"),
        ({"ProxyType": "Pigeon"}, "ProxyType"),
        ({"Authentication": ""}, "Authentication"),
        ({"Authentication": "OAuth2ClientCredentials"}, "clientId"),
        ({"Authentication": "OAuth2ClientCredentials", "clientId": "c"}, "tokenServiceURL"),
        ({"Authentication": "BasicAuthentication"}, "User"),
        ({"tokenServiceURLType": "Other"}, "tokenServiceURLType"),
        ({"clientSecret": ["opensesame"]}, "clientSecret"),
        ({"clientSecret": "opensesame\x00"}, "clientSecret"),
        ({"x": "opensesame" * 2000}, "x"),
        ({"": "opensesame"}, "property"),
        ({"mooring.canary.percentage": "10"}, "mooring.canary.percentage"),
        ({"mooring.canary.percent": "10"}, "mooring.canary.URL"),
        ({"mooring.canary.URL": "https://x"}, "mooring.canary.percent"),
        ({"mooring.canary.URL": "https://x", "mooring.canary.percent": "101"}, "mooring.canary.percent"),
        ({"mooring.mirror.URL": "https://x"}, "mooring.mirror.URL"),
    ],
)
def test_what_is_wrong_is_named_and_no_value_repeated(
    service: httpx.Client, name: str, changes: dict[str, object], word: str
) -> None:
    words = message(service.post(f"{V1}/{LEVELS[0]}", json={**plain(name), **changes}), 400)
    assert word in words
    assert "opensesame" not in words


def test_what_is_no_json_is_refused(service: httpx.Client) -> None:
    for content in (b"", b"{", b'{"Name": "\\ud800"}', b"\xff", b"[" * 5000):
        assert "no JSON" in message(service.post(f"{V1}/{LEVELS[0]}", content=content), 400)


def test_who_may_and_who_may_not(server: Server, service: httpx.Client, name: str) -> None:
    path = f"{V1}/{LEVELS[0]}"
    with (
        server.http_as(Role.ADMIN) as operator,
        server.http_as(Role.ADMIN, ["default"]) as bound,
        server.http_as(Role.EDITOR) as editor,
        server.http_as(Role.VIEWER) as viewer,
        server.http(token=False) as nobody,
    ):
        assert operator.post(path, json=plain(name)).status_code == 201
        for refused, status in ((bound, 403), (editor, 403), (viewer, 403), (nobody, 401)):
            for answer in (
                refused.get(path),
                refused.get(f"{path}/{name}"),
                refused.get(f"{V1}/destinations/{name}"),
                refused.put(path, json=plain(name)),
                refused.delete(f"{path}/{name}"),
                refused.post(f"{path}/{name}/rollback"),
                refused.post(f"{path}/{name}/check"),
            ):
                message(answer, status)
    assert service.get(f"{path}/{name}").status_code == 200
    for path in ("/v2/lm/scenarios", "/v2/admin/resourceGroups", "/openapi.json"):
        assert service.get(path).status_code == 403


def test_the_store_shows_nothing_of_it(server: Server, service: httpx.Client, name: str) -> None:
    secret = f"opensesame-{name}"
    body = plain(name, URL=f"https://{secret}@host.example/", whatever=secret, **{"URL.headers.key": secret})
    service.post(f"{V1}/{LEVELS[0]}", json=body).raise_for_status()
    with server.database.reading() as session:
        row = session.get_one(Destination, ("subaccount", name))
        assert secret not in str({column.key: getattr(row, column.key) for column in Destination.__table__.columns})


def test_a_client_whose_role_has_changed_its_kind_needs_a_new_token(server: Server) -> None:
    with server.database.transaction() as session:
        made = clients.create(session, role=Role.EDITOR)
    token = server.context.tokens.issue(made.id, Role.EDITOR).value
    with server.database.transaction() as session:
        changed = clients.change(session, made.id, role=Role.DESTINATIONS, keep_tokens=True)
        assert changed.groups == [], "destinations lie in no group"
    headers = {"Authorization": f"Bearer {token}"}

    def refused() -> bool:
        answer = httpx.get(f"{server.url}/v2/lm/scenarios", headers=headers)
        return answer.status_code == 401 and "another role" in answer.json()["error"]["message"]

    wait_until(refused)
    assert "another role" in message(httpx.get(f"{server.url}{V1}/{LEVELS[0]}", headers=headers), 401)
