"""Behind the real gateway: a request that kills its replica kills no other one, and takes no other request along."""

import json
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from mooring.gateway.routes import DeploymentRoute, Routes
from tests.gateway.world import World, make_world, wait_until

if TYPE_CHECKING:
    from tests.modelserver.conftest import Replica, Shelf

StartTwo = Callable[..., tuple["Replica", "Replica"]]
pytestmark = pytest.mark.slow

_INVOCATIONS = "/v2/inference/deployments/d1/invocations"
_OIP = "/v2/inference/deployments/d1/v2/models/m/infer"
_SAME_ID = {"x-request-id": "everybody-is-called-the-same"}


@pytest.fixture
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="ms-") as folder:  # pytest's folder has too long a path for a socket
        world = make_world(Path(folder))
        try:
            world.gateway.ensure_running()
            yield world
        finally:
            world.gateway.stop(grace_seconds=0)


@pytest.fixture
def start_two(shelf: "Shelf", replica: Callable[..., "Replica"], journal: Path) -> StartTwo:
    """Starts two replicas that share the journal, and waits for them."""

    def start(*options: str) -> tuple["Replica", "Replica"]:
        one, two = (replica(shelf.moody, "--journal", str(journal), *options) for _ in range(2))
        return one.until_ready(), two.until_ready()

    return start


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def _serve(world: World, *replicas: "Replica") -> None:
    world.gateway.apply(Routes((DeploymentRoute("d1", "default", tuple(replica.socket for replica in replicas)),)))


def _orders(*orders: str) -> dict[str, object]:
    return {"dataframe_records": [{"order": order} for order in orders]}


def _ask(world: World, *orders: str) -> httpx.Response:
    return world.ask(_INVOCATIONS, method="POST", json=_orders(*orders), headers=_SAME_ID)


def _begin_upload(world: World, body: bytes) -> socket.socket:
    """A request of which only half has been sent."""
    connection = socket.create_connection(("127.0.0.1", world.options.port), timeout=60)
    head = f"POST {_INVOCATIONS} HTTP/1.1\r\nHost: m\r\nContent-Type: application/json\r\nConnection: close\r\n"
    head += f"Authorization: Bearer {world.signer.token()}\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body[: len(body) // 2])
    return connection


def _lines(path: Path) -> list[str]:
    return path.read_text().split()


def test_one_poison_costs_one_replica_and_no_other_request(world: World, start_two: StartTwo, tmp_path: Path) -> None:
    gate, deaths, body = tmp_path / "gate", tmp_path / "deaths", json.dumps(_orders("upload")).encode()
    first, second = start_two()
    _serve(world, first)
    with ThreadPoolExecutor(32) as threads, _begin_upload(world, body) as upload:
        poison = threads.submit(_ask, world, f"touch-and-wait {gate}", f"die exit {deaths}")
        wait_until((tmp_path / "gate.begun").exists)
        good: list[Future[httpx.Response]] = [threads.submit(_ask, world, f"good {n}") for n in range(20)]
        wait_until(lambda: world.gateway.statistics()["d1"].active == 22)
        gate.touch()
        assert first.process.wait(60) == 1
        _serve(world, second)
        upload.sendall(body[len(body) // 2 :])
        answers = [future.result(60) for future in good]
        refused = poison.result(60)
        uploaded = upload.makefile("rb").read()
    assert [answer.json() for answer in answers] == [{"predictions": [f"GOOD {n}"]} for n in range(20)]
    assert json.loads(uploaded.partition(b"\r\n\r\n")[2]) == {"predictions": ["UPLOAD"]}
    assert refused.status_code == 500
    assert refused.json()["error_code"] == "INTERNAL_ERROR"
    assert "died while it predicted this request" in refused.json()["message"]
    assert _lines(deaths) == ["exit"]
    assert second.status("/ping") == 200
    line = f"request {_SAME_ID['x-request-id']}: POST '/invocations' 500 INTERNAL_ERROR: 'the model server died"
    assert second.stderr().count(line) == 1


def test_each_poison_costs_one_more(world: World, start_two: StartTwo, tmp_path: Path, journal: Path) -> None:
    deaths = tmp_path / "deaths"
    tensor = {"name": "order", "shape": [1], "datatype": "BYTES", "data": [f"die segfault {deaths}"]}
    for turn in (1, 2):
        victim, replacement = start_two()
        _serve(world, victim)
        with ThreadPoolExecutor(1) as threads:
            poison = threads.submit(world.ask, _OIP, method="POST", json={"inputs": [tensor]}, headers=_SAME_ID)
            assert victim.process.wait(60) == -signal.SIGSEGV
            _serve(world, replacement)
            refused = poison.result(60)
        assert refused.status_code == 500
        assert list(refused.json()) == ["error"]
        assert "died while it predicted this request" in refused.json()["error"]
        assert len(_lines(deaths)) == turn
        assert _ask(world, "good").json() == {"predictions": ["GOOD"]}
        assert replacement.end() == 0
    assert len(list(journal.iterdir())) == 2, "those of the dead; who ended in order has taken its own away"


def test_with_two_replicas_the_other_one_lives(world: World, start_two: StartTwo, tmp_path: Path) -> None:
    deaths, replicas = tmp_path / "deaths", start_two()
    _serve(world, *replicas)
    refused = _ask(world, f"die exit {deaths}")
    assert (refused.status_code, refused.json()["error_code"]) == (500, "INTERNAL_ERROR")
    wait_until(lambda: any(replica.process.poll() is not None for replica in replicas))
    assert sum(replica.process.poll() is not None for replica in replicas) == 1
    assert _lines(deaths) == ["exit"]
    assert _ask(world, "good").status_code == 200


@pytest.mark.parametrize(("max_deaths", "status"), [("1", 500), ("2", 200)])
def test_who_allows_two_deaths_spares_what_was_running_when_a_replica_was_killed(
    world: World, start_two: StartTwo, tmp_path: Path, max_deaths: str, status: int
) -> None:
    gate = tmp_path / "gate"
    first, second = start_two("--max-deaths", max_deaths)
    _serve(world, first)
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(_ask, world, f"touch-and-wait {gate}")
        wait_until((tmp_path / "gate.begun").exists)
        first.process.kill()
        gate.touch()
        _serve(world, second)
        assert running.result(60).status_code == status


def test_without_a_place_for_the_journal_it_serves_all_the_same(
    shelf: "Shelf", replica: Callable[..., "Replica"], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    server = replica(shelf.moody, "--journal", str(tmp_path / "file")).until_ready()
    assert f"no journal can be kept in {tmp_path / 'file'}" in server.stderr()
    assert server.http.post("/invocations", json=_orders("on")).status_code == 200
    assert server.end() == 0
