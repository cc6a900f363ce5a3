"""A destination is a moving pointer: targets, canaries, mirrors, moves and roll-backs are one write each."""

import json
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from mooring.controllers.destination_routes import destination_routes
from mooring.domain.destinations import Level
from mooring.domain.roles import Role
from mooring.gateway.routes import DestinationRoute
from mooring.network.calls import Calls
from mooring.network.reach import Reach
from mooring.services.destination_checks import check
from mooring.services.destination_tokens import DestinationTokens
from mooring.services.destinations import get, opened
from mooring.store.tables import Deployment
from tests.api.api_server import Server, new_deployment

PATH = "/destination-configuration/v1/subaccountDestinations"
INSTANCE = "/destination-configuration/v1/instanceDestinations"


@pytest.fixture
def service(server: Server) -> Iterator[httpx.Client]:
    with server.http_as(Role.DESTINATIONS, ()) as client:
        yield client


@pytest.fixture
def name() -> str:
    return f"wine-{uuid.uuid4().hex[:8]}"


def url(deployment_id: str, path: str = "") -> str:
    """By whichever host the installation is reached."""
    return f"https://any-name.example/v2/inference/deployments/{deployment_id}{path}"


def put(service: httpx.Client, name: str, target: str, *, at: str = PATH, **more: str) -> httpx.Response:
    """Make it so, whether it exists or not."""
    common = {"Name": name, "Type": "HTTP", "ProxyType": "Internet", "Authentication": "NoAuthentication"}
    body = {**common, "URL": target, **more}
    answer = service.post(at, json=body)
    return service.put(at, json=body) if answer.status_code == 409 else answer


def serve(server: Server, deployment_id: str, *, serving: bool = True) -> None:
    """Do what the controller would do."""
    with server.database.transaction() as session:
        row = session.get_one(Deployment, deployment_id)
        row.serving_revision_id = row.revisions[0].id if serving else None


def route(server: Server, name: str) -> DestinationRoute | None:
    with server.database.reading() as session:
        return {each.name: each for each in destination_routes(session)}.get(name)


def rolled_back(service: httpx.Client, name: str) -> tuple[str, str]:
    answer = service.post(f"{PATH}/{name}/rollback")
    assert answer.status_code == 200, answer.text
    return answer.json()["Undone"], answer.json()["URL"]


def test_the_gateway_learns_where_it_points_before_the_change_is_answered(
    server: Server, http: httpx.Client, group: str, service: httpx.Client, name: str
) -> None:
    one, two = new_deployment(http), new_deployment(http)
    told = len(server.routed)
    put(service, name, url(one, "/v2/"))
    assert route(server, name) == DestinationRoute(name, group, one, path="/v2")
    put(service, name, url(two))
    assert route(server, name) == DestinationRoute(name, group, two)
    service.delete(f"{PATH}/{name}").raise_for_status()
    assert route(server, name) is None
    assert len(server.routed) == told + 3


@pytest.mark.parametrize(
    "target",
    [
        "https://elsewhere.example/api",
        "https://api.example/v2/inference/deployments/d000000000000000",
        "https://api.example/v2/inference/deployments/{id}?key=value",
        "https://api.example/v2/inference/deployments/{id}/../../x",
        "https://api.example/v2/inference/deployments/{id}/%2e%2e",
        "https://api.example/x/v2/inference/deployments/{id}",
    ],
)
def test_what_leads_out_of_here_is_kept_and_found_but_not_routed(
    server: Server, http: httpx.Client, service: httpx.Client, name: str, target: str
) -> None:
    target = target.replace("{id}", new_deployment(http))
    assert put(service, name, target).status_code == 201
    assert service.get(f"{PATH}/{name}").json()["URL"] == target
    assert route(server, name) is None


def test_an_instances_destination_hides_the_subaccounts_as_it_is_found(
    server: Server, http: httpx.Client, service: httpx.Client, name: str
) -> None:
    one, two = new_deployment(http), new_deployment(http)
    put(service, name, url(one))
    put(service, name, url(two), at=INSTANCE)
    found = route(server, name)
    assert found is not None
    assert found.deployment_id == two
    put(service, name, "https://elsewhere.example", at=INSTANCE)
    assert route(server, name) is None
    service.delete(f"{INSTANCE}/{name}").raise_for_status()
    assert route(server, name) is not None


def test_canary_and_mirror_are_properties(
    server: Server, http: httpx.Client, group: str, service: httpx.Client, name: str
) -> None:
    one, two, three = (new_deployment(http) for _ in range(3))
    more = {
        "mooring.canary.URL": url(two, "/v1"),
        "mooring.canary.percent": "10",
        "mooring.mirror.URL": url(three, "/v1"),
        "mooring.mirror.percent": "50",
    }
    assert put(service, name, url(one, "/v1"), **more).status_code == 201
    assert route(server, name) == DestinationRoute(name, group, one, "/v1", two, 10, three, 50)
    assert service.get(f"{PATH}/{name}").json().items() >= more.items()


def test_a_canary_that_becomes_the_target_is_one_no_more(
    server: Server, http: httpx.Client, group: str, service: httpx.Client, name: str
) -> None:
    one, two, three = (new_deployment(http) for _ in range(3))
    beside = {
        "mooring.canary.URL": url(two),
        "mooring.canary.percent": "10",
        "mooring.mirror.URL": url(three),
        "mooring.mirror.percent": "50",
    }
    put(service, name, url(one), **beside)
    assert put(service, name, url(two), **beside).status_code == 200
    assert route(server, name) == DestinationRoute(name, group, two, "", None, 0, three, 50)
    assert put(service, name, url(two), **beside).status_code == 400, "where nothing moves it is a mistake"
    assert put(service, name, url(three), **{key: beside[key] for key in list(beside)[2:]}).status_code == 200
    assert route(server, name) == DestinationRoute(name, group, three)
    serve(server, two)
    assert rolled_back(service, name) == ("move", url(two))


def test_a_deployment_of_another_group_is_neither_canary_nor_mirror(
    server: Server, http: httpx.Client, service: httpx.Client, name: str
) -> None:
    one, two = new_deployment(http), new_deployment(http)
    with server.http("default") as other:
        foreign = new_deployment(other)
    for wrong in (url(foreign), url("d000000000000000"), url(one), url(two, "/x"), "https://elsewhere.example"):
        for kind in ("canary", "mirror"):
            more = {f"mooring.{kind}.URL": wrong, f"mooring.{kind}.percent": "5"}
            answer = put(service, name, url(one), **more)
            assert answer.status_code == 400
            assert f"mooring.{kind}.URL" in answer.json()["ErrorMessage"]
    out = put(service, name, "https://x.example", **{"mooring.mirror.URL": url(two)})
    assert out.status_code == 400
    assert route(server, name) is None


def test_a_rollback_ends_a_canary_and_then_points_back_and_forth(
    server: Server, http: httpx.Client, service: httpx.Client, name: str
) -> None:
    one, two = new_deployment(http), new_deployment(http)
    for each in (one, two):
        serve(server, each)
    put(service, name, url(one), clientSecret="s")
    assert service.post(f"{PATH}/{name}/rollback").status_code == 409, "it has never pointed anywhere else"
    put(service, name, url(two), clientSecret="s")
    canary = {"mooring.canary.URL": url(one), "mooring.canary.percent": "50"}
    put(service, name, url(two), clientSecret="s", **canary)
    assert rolled_back(service, name) == ("canary", url(two))
    found = route(server, name)
    assert found is not None
    assert (found.deployment_id, found.canary_id) == (two, None)
    assert rolled_back(service, name) == ("move", url(one))
    assert rolled_back(service, name) == ("move", url(two))
    kept = service.get(f"{PATH}/{name}").json()
    assert (kept["URL"], kept["clientSecret"]) == (url(two), "s")
    assert not [key for key in kept if key.startswith("mooring.")]
    moves = service.get(f"{PATH}/{name}/history").json()
    assert [move["URL"] for move in moves] == [url(two), url(one), url(two), url(one)]
    assert all(move["By"] and move["Since"].endswith("Z") for move in moves)


def test_history_is_bounded_and_a_put_of_the_same_is_no_move(service: httpx.Client, name: str) -> None:
    for number in range(25):
        put(service, name, f"https://host.example/{number}")
        put(service, name, f"https://host.example/{number}", Description="the same")
    moves = service.get(f"{PATH}/{name}/history").json()
    assert [move["URL"].rpartition("/")[2] for move in moves] == [str(number) for number in range(24, 4, -1)]


def test_a_rollback_to_what_does_not_serve_is_refused(
    server: Server, http: httpx.Client, service: httpx.Client, name: str
) -> None:
    one, two = new_deployment(http), new_deployment(http)
    serve(server, two)
    put(service, name, url(one))
    put(service, name, url(two))
    refused = service.post(f"{PATH}/{name}/rollback")
    assert refused.status_code == 409
    for word in (name, one, "UNKNOWN"):
        assert word in refused.json()["ErrorMessage"]
    found = route(server, name)
    assert found is not None
    assert found.deployment_id == two, "nothing was changed"
    serve(server, one)
    assert rolled_back(service, name) == ("move", url(one))


@pytest.mark.parametrize(
    ("change", "told"),
    [({"target_status": "STOPPED"}, "to be STOPPED"), ({"status": "DEAD", "target_status": "RUNNING"}, "is DEAD")],
)
def test_a_rollback_to_what_is_about_to_stop_or_has_died_is_refused(
    change: dict[str, str], told: str, server: Server, http: httpx.Client, service: httpx.Client, name: str
) -> None:
    one, two = new_deployment(http), new_deployment(http)
    for each in (one, two):
        serve(server, each)
        put(service, name, url(each))
    with server.database.transaction() as session:
        row = session.get_one(Deployment, one)
        for field, value in change.items():
            setattr(row, field, value)
    refused = service.post(f"{PATH}/{name}/rollback")
    assert refused.status_code == 409, "it serves for a moment, and then everybody would be led into a 503"
    assert told in refused.json()["ErrorMessage"]


def test_a_canary_ends_also_when_the_mirror_beside_it_is_gone(
    server: Server, http: httpx.Client, service: httpx.Client, name: str
) -> None:
    one, two, three = (new_deployment(http) for _ in range(3))
    canary = {"mooring.canary.URL": url(two), "mooring.canary.percent": "50"}
    put(service, name, url(one), **canary, **{"mooring.mirror.URL": url(three)})
    with server.database.transaction() as session:
        session.delete(session.get_one(Deployment, three))
    assert rolled_back(service, name) == ("canary", url(one))
    found = route(server, name)
    assert found is not None
    assert (found.deployment_id, found.canary_id, found.percent) == (one, None, 0)


def test_of_many_rollbacks_at_once_each_is_whole(
    server: Server, http: httpx.Client, service: httpx.Client, name: str
) -> None:
    one, two = new_deployment(http), new_deployment(http)
    for each in (one, two):
        serve(server, each)
        put(service, name, url(each))
    threads = [threading.Thread(target=rolled_back, args=(service, name)) for _ in range(7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    moves = [move["URL"] for move in service.get(f"{PATH}/{name}/history").json()]
    assert moves == [url(one), url(two)] * 4 + [url(one)], "each is a move of its own"
    found = route(server, name)
    assert found is not None
    assert url(found.deployment_id) == moves[0] == url(one)


class Target(BaseHTTPRequestHandler):
    """Answers with the status in its path, when the header is there."""

    def do_GET(self) -> None:
        status = int(self.path.strip("/").split("?")[0]) if self.headers["x-wanted"] == "yes" else 400
        self.send_response(status)
        self.send_header("Location", "http://169.254.169.254/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Target) as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


def test_a_check_goes_as_far_as_it_gets(server: Server, service: httpx.Client, name: str) -> None:
    def steps(target: str, **more: str) -> dict[str, tuple[bool, str]]:
        put(service, name, target, **more)
        answer = service.post(f"{PATH}/{name}/check")
        assert answer.status_code == 200
        content = answer.json()
        assert content["OK"] is all(step["OK"] for step in content["Steps"])
        return {step["Step"]: (step["OK"], step["Detail"]) for step in content["Steps"]}

    credentials = {
        "Authentication": "OAuth2ClientCredentials",
        "tokenServiceURL": f"{server.url}/oauth/token",
        "clientId": server.client.id,
        "clientSecret": server.client.secret,
    }
    good = steps(f"{server.url}/v2/lm/scenarios", **credentials)
    assert good == {
        "connect": (True, "connected"),
        "token": (True, "a token was issued"),
        "call": (True, "the target answers 200"),
    }
    without = steps(f"{server.url}/v2/lm/scenarios")
    assert without["token"] == (True, "none is needed")
    assert without["call"][0] is False
    wrong = steps(f"{server.url}/v2/lm/scenarios", **{**credentials, "clientSecret": "opensesame"})
    assert wrong["token"][0] is False
    assert "call" not in wrong
    assert "opensesame" not in json.dumps(wrong)
    for out_of_reach in ("http://127.0.0.2:22/", "http://169.254.169.254/latest", "http://[::1]:1/"):
        (step,) = steps(out_of_reach).items()
        assert step[0] == "connect"
        assert "destination_hosts" in step[1][1]
    (nowhere,) = steps("http://no-such-host.invalid/").items()
    assert nowhere[1][0] is False
    (premise,) = steps(server.url, ProxyType="OnPremise").items()
    assert "OnPremise" in premise[1][1]


def test_a_check_follows_no_redirect_and_sends_what_the_destination_says(
    server: Server, service: httpx.Client, name: str, target: str
) -> None:
    """With a host that the operator has listed."""
    outside = Calls(Reach(["127.0.0.1"]), server.url)
    results = {}
    for status in (204, 302, 404, 403, 500):
        put(service, name, f"{target}/{status}", **{"URL.headers.x-wanted": "yes", "URL.queries.a": "b"})
        with server.database.reading() as session:
            found = opened(server.context.vault, get(session, Level.SUBACCOUNT, name))
        results[status] = check(found, DestinationTokens(outside), outside)[-1]
    outside.close()
    assert {status: step.ok for status, step in results.items()} == {
        204: True,
        302: True,
        404: True,
        403: False,
        500: False,
    }
    assert all(str(status) in step.detail for status, step in results.items())
