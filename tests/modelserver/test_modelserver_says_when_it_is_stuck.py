"""A prediction that does not return is told to the probes, to the log and to whoever waits behind it."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.modelserver.conftest import wait_until

if TYPE_CHECKING:
    from tests.modelserver.conftest import Replica, Shelf

Start = Callable[..., "Replica"]
pytestmark = pytest.mark.slow

PROBES = ("/v2/health/ready", "/v2/health/live", "/v2/models/m/ready", "/ping", "/health")
REASON = "a prediction has been running for more than 0.5 s"


def _ask(server: "Replica", order: str, request_id: str) -> httpx.Response:
    body = {"dataframe_records": [{"order": order}]}
    return server.http.post("/invocations", json=body, headers={"x-request-id": request_id})


def _block(server: "Replica", threads: ThreadPoolExecutor, gate: Path) -> "Future[httpx.Response]":
    call = threads.submit(_ask, server, f"touch-and-wait {gate}", "the-slow-one")
    wait_until(gate.with_name(gate.name + ".begun").exists, server.stderr)
    return call


def test_until_it_returns_after_all(shelf: "Shelf", replica: Start, tmp_path: Path) -> None:
    server = replica(shelf.moody, "--stuck-seconds", "0.5", "--request-seconds", "50").until_ready()
    gate = tmp_path / "gate"
    with ThreadPoolExecutor(4) as threads:
        slow = _block(server, threads, gate)
        # Long before its own deadline; it has not begun, so whoever sent it may send it again.
        behind = threads.submit(_ask, server, "x", "behind").result(20)
        assert (behind.status_code, behind.headers["retry-after"]) == (503, "1")
        for path in PROBES:
            answer = server.http.get(path)
            assert answer.status_code == 503
            assert REASON in answer.text
        new = _ask(server, "x", "too-late")
        assert (new.status_code, new.headers["retry-after"]) == (503, "1")
        gate.touch()
        assert slow.result(60).status_code == 200
    server.until_ready()
    assert [server.status(path) for path in PROBES] == [200] * len(PROBES)
    assert _ask(server, "on", "after").json() == {"predictions": ["ON"]}
    errors = [line for line in server.stderr().splitlines() if " ERROR " in line]
    assert len(errors) == 1
    assert "request the-slow-one: its prediction has been running for more than 0.5 s" in errors[0]
    assert "request the-slow-one: its prediction has returned after all" in server.stderr()


def test_what_can_still_be_answered_is(shelf: "Shelf", replica: Start, tmp_path: Path) -> None:
    server = replica(shelf.moody, "--stuck-seconds", "0.5", "--concurrency", "2").until_ready()
    gate = tmp_path / "gate"
    with ThreadPoolExecutor(1) as threads:
        slow = _block(server, threads, gate)
        wait_until(lambda: server.status("/v2/health/ready") == 503, server.stderr)
        assert _ask(server, "x", "beside").json() == {"predictions": ["X"]}
        wait_until(lambda: "the-slow-one" in server.stderr())
        gate.touch()
        assert slow.result(60).status_code == 200
    server.until_ready()


def test_the_bound_is_twice_the_time_of_a_request(shelf: "Shelf", replica: Start, tmp_path: Path) -> None:
    server = replica(shelf.moody, "--request-seconds", "0.25").until_ready()
    gate = tmp_path / "gate"
    with ThreadPoolExecutor(1) as threads:
        assert _block(server, threads, gate).result(60).status_code == 504
        wait_until(lambda: server.status("/v2/health/live") == 503, server.stderr)
        assert REASON in server.http.get("/v2/health/live").text
        gate.touch()
        server.until_ready()
