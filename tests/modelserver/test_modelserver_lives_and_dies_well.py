"""Probes are honest, a stop finishes what runs, a failure says why and ends with its own exit code."""

import os
import signal
import stat
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.modelserver.conftest import Replica, Shelf

Start = Callable[..., "Replica"]
pytestmark = pytest.mark.slow


def _order(text: str) -> dict[str, object]:
    return {"dataframe_records": [{"order": text}]}


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_live_but_not_ready_until_loaded(shelf: "Shelf", replica: Start, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    server = replica(shelf.moody, env={"TEST_GATE": str(gate)}).until_listening()
    for path in ("/v2/health/ready", "/v2/models/m/ready", "/ping", "/m/ping", "/version"):
        assert server.status(path) == 503
    assert server.http.post("/invocations", json=_order("early")).status_code == 503
    assert server.status("/m/api/") == 200
    gate.touch()
    server.until_ready()
    assert server.http.post("/m/invocations", json=_order("hello")).json() == {"predictions": ["HELLO"]}
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o600
    assert server.end() == 0
    assert not server.socket.exists()


def test_a_stop_while_loading_is_obeyed_at_once(shelf: "Shelf", replica: Start, tmp_path: Path) -> None:
    server = replica(shelf.moody, env={"TEST_GATE": str(tmp_path / "never")}).until_listening()
    started = time.monotonic()
    assert server.end() == 0
    assert time.monotonic() - started < 20


def test_a_stop_finishes_what_runs_and_takes_nothing_new(shelf: "Shelf", replica: Start, tmp_path: Path) -> None:
    server = replica(shelf.moody).until_ready()
    gate = tmp_path / "gate"
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(server.http.post, "/invocations", json=_order(f"touch-and-wait {gate}"))
        _until((tmp_path / "gate.begun").exists)
        server.process.send_signal(signal.SIGTERM)
        # A connection of its own: the first one is busy. Refused once the listener is closed.
        _until(lambda: not _connects(server.socket))
        gate.touch()
        assert running.result(60).status_code == 200
    assert server.process.wait(60) == 0


def test_the_grace_of_a_stop_is_kept(shelf: "Shelf", replica: Start, tmp_path: Path) -> None:
    server = replica(shelf.moody, "--stop-grace-seconds", "1").until_ready()
    gate = tmp_path / "never"

    def abandoned() -> None:
        server.status("/ping")
        with pytest.raises(Exception):  # noqa: B017 - cut off, in one way or another
            server.http.post("/invocations", json=_order(f"touch-and-wait {gate}")).raise_for_status()

    thread = threading.Thread(target=abandoned)
    thread.start()
    _until((tmp_path / "never.begun").exists)
    started = time.monotonic()
    assert server.end() == 0
    assert time.monotonic() - started < 20
    thread.join(60)


def _connects(path: Path) -> bool:
    import socket

    with socket.socket(socket.AF_UNIX) as probe:
        return path.exists() and probe.connect_ex(str(path)) == 0


def test_probes_are_answered_while_the_model_is_busy(shelf: "Shelf", replica: Start, tmp_path: Path) -> None:
    server = replica(shelf.moody, "--max-waiting", "1", "--request-seconds", "5").until_ready()
    gate = tmp_path / "gate"
    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(server.http.post, "/invocations", json=_order(f"touch-and-wait {gate}"))]
        _until((tmp_path / "gate.begun").exists)
        assert server.status("/v2/health/live") == server.status("/v2/health/ready") == 200
        calls += [threads.submit(server.http.post, "/invocations", json=_order("x")) for _ in range(6)]
        # One runs, one waits, the others are turned away; the one that waits gives up in time.
        answers = [call.result(60) for call in calls[1:]]
        gate.touch()
    assert sorted(answer.status_code for answer in answers) == [503] * 5 + [504]
    assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 503)
    assert server.http.post("/invocations", json=_order("on")).json() == {"predictions": ["ON"]}


def test_a_model_that_cannot_be_loaded(shelf: "Shelf", replica: Start) -> None:
    server = replica(shelf.moody, env={"TEST_LOAD_FAILS": "1"})
    assert server.process.wait(60) == 3
    last = server.stderr().strip().splitlines()[-1]
    assert last.startswith(f"mooring: cannot load model {shelf.moody}: RuntimeError: the weights are corrupt")
    assert "hunter2" not in server.stderr()
    assert "Signature" not in server.stderr()


@pytest.mark.parametrize("name", ["KeyboardInterrupt", "SystemExit", "GeneratorExit", "MemoryError"])
def test_a_load_that_raises_what_few_expect(name: str, shelf: "Shelf", replica: Start) -> None:
    server = replica(shelf.moody, env={"TEST_LOAD_RAISES": name})
    assert server.process.wait(60) == 3
    last = server.stderr().strip().splitlines()[-1]
    assert last.startswith(f"mooring: cannot load model {shelf.moody}: ")
    assert "on purpose" in last


def test_a_model_that_cannot_be_described(shelf: "Shelf", replica: Start) -> None:
    server = replica(shelf.undescribable)
    assert server.process.wait(60) == 3
    assert "it cannot be described to callers: " in server.stderr().splitlines()[-1]


def test_a_server_whose_own_parts_are_missing(shelf: "Shelf", replica: Start, tmp_path: Path) -> None:
    hide = "import sys\nsys.modules['mooring.modelserver.protocols.oip'] = None\n"
    (tmp_path / "sitecustomize.py").write_text(hide)
    server = replica(shelf.moody, env={"PYTHONPATH": str(tmp_path)}, fresh=True)
    assert server.process.wait(60) == 3
    assert "mooring.modelserver.protocols.oip" in server.stderr().splitlines()[-1]


def test_a_model_that_is_not_there(replica: Start, tmp_path: Path) -> None:
    server = replica(tmp_path / "nothing")
    assert server.process.wait(60) == 3
    assert f"mooring: cannot load model {tmp_path / 'nothing'}: " in server.stderr().splitlines()[-1]


def test_a_model_that_fails_on_its_own_example(shelf: "Shelf", replica: Start) -> None:
    server = replica(shelf.failing_example)
    assert server.process.wait(60) == 3
    assert (
        "its own input example fails: the model failed: RuntimeError: out of mood" in server.stderr().splitlines()[-1]
    )


def test_a_stale_socket_is_replaced_and_a_used_one_is_not(shelf: "Shelf", replica: Start) -> None:
    first = replica(shelf.moody).until_ready()
    second = replica(shelf.moody, "--uds", str(first.socket))
    assert second.process.wait(60) == 2
    assert "another process listens on" in second.stderr()
    assert first.status("/ping") == 200
    first.process.kill()
    first.process.wait(60)
    assert first.socket.exists()
    third = replica(shelf.moody, "--uds", str(first.socket))
    third.socket = first.socket
    _until(lambda: first.status("/ping") == 200)
    assert third.end() == 0


def test_64_callers_at_once_all_get_their_own_answer(shelf: "Shelf", replica: Start, rows: pd.DataFrame) -> None:
    server = replica(shelf.moody).until_ready()

    def call(number: int) -> bool:
        answer = server.http.post(
            "/invocations", json=_order(f"order {number}"), headers={"x-request-id": f"r-{number}"}
        )
        return answer.json() == {"predictions": [f"ORDER {number}"]} and answer.headers["x-request-id"] == f"r-{number}"

    with ThreadPoolExecutor(64) as threads:
        assert all(threads.map(call, range(640)))


def test_hostile_bytes_do_not_harm_it(shelf: "Shelf", replica: Start) -> None:
    server = replica(shelf.cancer, "--max-request-bytes", "1000000").until_ready()
    bodies = [
        b"\x00" * 100,
        b"[" * 900_000,
        b'{"inputs": ' * 80_000,
        b'"' * 999_999,
        os.urandom(10_000),
        b"9" * 900_000,
    ]
    for body in bodies:
        for path in ("/invocations", "/v2/models/m/infer"):
            for kind in ("application/json", "text/csv", "application/vnd.apache.parquet"):
                answer = server.http.post(path, content=body, headers={"content-type": kind})
                assert answer.status_code in (400, 415), (path, kind, body[:20], answer.text)
                assert "Traceback" not in answer.text
    assert server.http.post("/invocations", content=iter([b" " * 600_000] * 3)).status_code == 413
    assert server.http.get("/" + "x" * 5000).status_code == 404
    assert server.http.get("/ping", headers={"x-request-id": "a b\tc"}).headers["x-request-id"] != "a b\tc"
    assert server.status("/v2/health/ready") == 200
    assert "Traceback" not in server.stderr()


def test_a_registered_model_by_its_uri(shelf: "Shelf", replica: Start, tmp_path: Path) -> None:
    import mlflow

    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = mlflow.MlflowClient(uri, uri)
    client.create_registered_model("churn")
    client.create_model_version("churn", str(shelf.cancer))
    server = replica("models:/churn/1", env={"MLFLOW_TRACKING_URI": uri, "MLFLOW_REGISTRY_URI": uri}).until_ready()
    assert server.http.get("/v2/models/m").json()["name"] == "m"
    assert server.end() == 0
