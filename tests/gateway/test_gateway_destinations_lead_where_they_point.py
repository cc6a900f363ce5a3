"""`/destinations/{name}` leads to the deployment it points at, and to its canary and its mirror by their shares."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from mooring.domain.endpoints import TcpAddress
from mooring.gateway.routes import DeploymentRoute, DestinationRoute, Routes
from tests.gateway.world import World, wait_until
from tests.prober import Prober

NAME = "wine.v2_prod-1"
PLAIN = DestinationRoute(NAME, "default", "done")


@pytest.fixture
def deployments(world: World) -> tuple[DeploymentRoute, ...]:
    """`done` and `dtwo` in the default group, `dteam` in another."""
    sockets = {name: world.upstreams.start(name) for name in ("one", "two", "team")}
    return (
        DeploymentRoute("done", "default", (sockets["one"],)),
        DeploymentRoute("dtwo", "default", (sockets["two"],)),
        DeploymentRoute("dteam", "team-a", (sockets["team"],)),
    )


@pytest.fixture
def point(world: World, deployments: tuple[DeploymentRoute, ...]) -> Callable[[DestinationRoute], None]:
    return lambda destination: world.gateway.apply(Routes(deployments, destinations=(destination,)))


def test_a_destination_answers_below_its_name_and_its_path(
    world: World, point: Callable[[DestinationRoute], None]
) -> None:
    seen = {}
    for path in ("", "/v2"):
        point(replace(PLAIN, path=path))
        for rest in ("", "/", "/x/y/?q=1"):
            answer = world.ask(f"/destinations/{NAME}{rest}", method="POST", content=b"abc").json()
            assert (answer["name"], answer["method"]) == ("one", "POST")
            seen[path, rest] = f"{answer['path']}?{answer['query']}".rstrip("?")
    assert seen == {
        ("", ""): "/",
        ("", "/"): "/",
        ("", "/x/y/?q=1"): "/x/y/?q=1",
        ("/v2", ""): "/v2",
        ("/v2", "/"): "/v2/",
        ("/v2", "/x/y/?q=1"): "/v2/x/y/?q=1",
    }
    for other in (f"/destinations/{NAME}x", "/destinations/other", "/destinations", "/destinations/wine_v2_prod-1/x"):
        answer = world.ask(other)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "01000404")
        assert "No destination of this name" in answer.json()["error"]["message"]


def test_who_may_use_the_deployments_group_may_use_the_destination(
    world: World, point: Callable[[DestinationRoute], None]
) -> None:
    point(replace(PLAIN, resource_group="team-a", deployment_id="dteam"))
    path = f"/destinations/{NAME}/x"

    def status(*groups: str, **headers: str) -> int:
        token = world.signer.token(groups=list(groups))
        return world.ask(path, token=False, headers={"Authorization": f"Bearer {token}", **headers}).status_code

    assert world.ask(path, token=False).status_code == 401
    assert status("team-a") == status("*") == status("team-b", "team-a") == 200
    assert status("team-a", **{"AI-Resource-Group": "default"}) == 200, "the destination says which group it is"
    refused = world.ask(
        path, token=False, headers={"Authorization": f"Bearer {world.signer.token(groups=['default'])}"}
    )
    nowhere = world.ask("/destinations/nowhere/x")
    assert refused.status_code == nowhere.status_code == 404
    assert refused.json()["error"]["message"] == nowhere.json()["error"]["message"]


def test_a_target_that_does_not_serve_is_told_to_those_who_may_know(
    world: World, point: Callable[[DestinationRoute], None]
) -> None:
    point(replace(PLAIN, deployment_id="dgone", canary_id="dtwo", percent=100))
    answer = world.ask(f"/destinations/{NAME}/x")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    error = answer.json()["error"]
    assert error["code"] == "01000503"
    for word in (NAME, "dgone", "RUNNING", f"mooring rollback {NAME}"):
        assert word in error["message"]
    foreign = {"Authorization": f"Bearer {world.signer.token(groups=['team-a'])}"}
    assert world.ask(f"/destinations/{NAME}/x", token=False, headers=foreign).status_code == 404


def test_a_canary_gets_its_share(world: World, point: Callable[[DestinationRoute], None]) -> None:
    point(replace(PLAIN, canary_id="dtwo", percent=25))
    names = Counter[str]()
    with Prober(
        f"{world.url}/destinations/{NAME}/x",
        headers=world.signer.headers(),
        clients=4,
        check=lambda answer: bool(names.update([answer.json()["name"]])) or answer.status_code == 200,
    ) as prober:
        prober.wait_for(2000)
    assert not prober.failures, str(prober)
    share = names["two"] / names.total()
    assert 0.20 < share < 0.30, names  # five standard deviations at 2,000 requests
    for percent, name in ((0, "one"), (100, "two")):
        point(replace(PLAIN, canary_id="dtwo", percent=percent))
        assert {world.ask(f"/destinations/{NAME}/").json()["name"] for _ in range(30)} == {name}


@pytest.mark.parametrize(
    "beside",
    [replace(PLAIN, percent=100, canary_id="dteam"), replace(PLAIN, mirror_id="dteam")],
    ids=["canary", "mirror"],
)
def test_another_group_is_neither_canary_nor_mirror(
    world: World, point: Callable[[DestinationRoute], None], beside: DestinationRoute
) -> None:
    point(beside)
    for _ in range(20):
        assert world.ask(f"/destinations/{NAME}/").json()["name"] == "one"
    assert world.gateway.statistics()["dteam"].requests == 0


class Recorder(BaseHTTPRequestHandler):
    """Remembers what it was sent."""

    seen: ClassVar[list[tuple[str, Message, bytes]]] = []
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.seen.append((self.path, self.headers, body))
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def recorder() -> Iterator[TcpAddress]:
    Recorder.seen.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield TcpAddress("127.0.0.1", server.server_address[1])
        server.shutdown()


def test_a_mirror_gets_copies_without_the_callers_token_and_its_answers_are_heard_by_nobody(
    world: World, recorder: TcpAddress
) -> None:
    one, mirror = world.upstreams.start("one"), DeploymentRoute("dtwo", "default", (recorder,))
    world.gateway.apply(
        Routes(
            (DeploymentRoute("done", "default", (one,)), mirror),
            destinations=(replace(PLAIN, path="/v1", mirror_id="dtwo"),),
        )
    )
    body = b"x" * 100_000
    for _ in range(30):
        answer = world.ask(f"/destinations/{NAME}/y?q=1", method="POST", content=body)
        assert (answer.status_code, answer.json()["name"]) == (200, "one")
    wait_until(lambda: len(Recorder.seen) == 30)
    assert {(path, len(sent)) for path, _, sent in Recorder.seen} == {("/v1/y?q=1", len(body))}
    assert all(headers["authorization"] is None for _, headers, _ in Recorder.seen)


def test_a_mirror_that_is_away_is_missed_by_nobody(world: World) -> None:
    nobody = DeploymentRoute("dtwo", "default", (Path("/nonexistent/nobody.sock"),))
    world.gateway.apply(
        Routes(
            (DeploymentRoute("done", "default", (world.upstreams.start("one"),)), nobody),
            destinations=(replace(PLAIN, mirror_id="dtwo"),),
        )
    )
    started = time.monotonic()
    for _ in range(30):
        assert world.ask(f"/destinations/{NAME}/y", method="POST", content=b"x" * 100_000).status_code == 200
    assert time.monotonic() - started < 10


@pytest.mark.slow
def test_moves_canaries_mirrors_and_rollbacks_lose_no_request(
    world: World, point: Callable[[DestinationRoute], None]
) -> None:
    two = replace(PLAIN, deployment_id="dtwo")
    point(PLAIN)
    with Prober(
        f"{world.url}/destinations/{NAME}/x",
        method="POST",
        body=b"x" * 1000,
        headers=world.signer.headers(),
        clients=16,
    ) as prober:
        prober.wait_for(200)
        for _ in range(20):
            for now in (
                replace(PLAIN, canary_id="dtwo", percent=30),
                replace(PLAIN, mirror_id="dtwo"),
                two,
                PLAIN,
            ):
                point(now)
                name = "two" if now is two else "one"
                if not now.percent:
                    assert world.ask(f"/destinations/{NAME}/x").json()["name"] == name
                prober.wait_for(75)
    assert prober.requests >= 5000
    assert not prober.failures, str(prober)
