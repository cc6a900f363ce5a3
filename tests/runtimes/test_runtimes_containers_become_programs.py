"""The process runtime starts, asks and ends whatever a container becomes, and tells its owner when it is over."""

import signal
import socket
import sys
from pathlib import Path

import pytest

from mooring.processes import send
from mooring.runtimes.base import ContainerSpec, ImageError, ImageRequest, Phase, Readiness, TcpAddress
from mooring.runtimes.containers import Program
from tests.runtimes.harbour import Harbour, until

SLEEP = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]


class Engine:
    """A container engine that runs programs of this machine, and notes what it is told."""

    def __init__(self, argv: list[str], address: TcpAddress | None = None) -> None:
        self.argv = argv
        self.address = address
        self.ended: list[str] = []
        self.away = False
        self.asked = 0

    def prepare(self, request: ImageRequest) -> str:
        return f"id of {request.image}"

    def program(self, run_id: str, spec: ContainerSpec, folder: Path) -> Program:  # noqa: ARG002
        return Program(self.argv, {"PATH": "/usr/bin:/bin", "SECRET": "open-sesame"}, self.address)

    def collect(self, run_id: str, folder: Path, path: str, target: Path) -> bool:  # noqa: ARG002
        target.write_text(f"{path} of {run_id}")
        return True

    def end(self, run_id: str, folder: Path) -> None:  # noqa: ARG002
        if self.away:
            raise OSError("the engine is away")
        self.ended.append(run_id)

    def reason(self, run_id: str, folder: Path, exit_code: int) -> str:  # noqa: ARG002
        self.asked += 1
        return f"the engine knows more about {exit_code}"

    def gateway_url(self, public_url: str) -> str:  # noqa: ARG002
        return "http://inside"


def _use(harbour: Harbour, engine: Engine) -> Engine:
    harbour.runtime = harbour.another(containers=engine)
    return engine


def test_without_containers_there_are_none(harbour: Harbour) -> None:
    with pytest.raises(ImageError, match="neither a sandbox nor a container engine"):
        harbour.runtime.prepare(ImageRequest("image"))
    with pytest.raises(ValueError, match="neither a sandbox nor a container engine"):
        harbour.runtime.start("job1", ContainerSpec("image"))
    assert harbour.runtime.observe("job1").phase is Phase.ABSENT
    assert harbour.runtime.gateway_url("https://public") == "https://public"


def test_a_job_runs_and_what_it_left_is_fetched(harbour: Harbour, tmp_path: Path) -> None:
    _use(harbour, Engine([sys.executable, "-c", "print('done')"]))
    assert harbour.runtime.prepare(ImageRequest("x")) == "id of x"
    harbour.runtime.start("job1", ContainerSpec("id of x"))
    assert harbour.until("job1", Phase.EXITED).exit_code == 0
    assert harbour.messages("job1") == ["done"]
    assert harbour.runtime.collect("job1", "/out", tmp_path / "out")
    assert not harbour.runtime.collect("job2", "/out", tmp_path / "none")
    assert harbour.runtime.gateway_url("https://public") == "http://inside"


def test_a_port_is_its_endpoint_also_for_the_next_control_plane(harbour: Harbour) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = TcpAddress("127.0.0.1", listener.getsockname()[1])
        engine = _use(harbour, Engine(SLEEP, address))
        harbour.runtime.start("replica1", ContainerSpec("x", readiness=Readiness(8080)))
        harbour.until("replica1", Phase.READY)
        harbour.runtime = harbour.another(containers=engine)
        assert harbour.runtime.endpoint("replica1") == address
        assert harbour.runtime.observe("replica1").phase is Phase.READY
    seen = harbour.runtime.observe("replica1")
    assert (seen.phase, seen.reason) == (Phase.STARTING, f"it does not listen on port {address.port} yet")


def test_a_proxy_that_accepts_and_closes_is_not_taken_for_a_server(harbour: Harbour) -> None:
    proxy = (
        "import socket, sys\ns = socket.create_server(('127.0.0.1', int(sys.argv[1])))\nwhile 1: s.accept()[0].close()"
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    _use(harbour, Engine([sys.executable, "-c", proxy, str(port)], TcpAddress("127.0.0.1", port)))
    harbour.runtime.start("replica1", ContainerSpec("x", readiness=Readiness(8080)))
    words = f"nobody listens behind port {port} yet"
    until("the proxy accepts", lambda: harbour.runtime.observe("replica1").reason == words)


def test_a_users_words_mean_what_they_say(harbour: Harbour) -> None:
    _use(harbour, Engine([sys.executable, "-c", "import sys; print(sys.argv[1])", "{socket}"]))
    harbour.runtime.start("job1", ContainerSpec("x"))
    harbour.until("job1", Phase.EXITED)
    assert harbour.messages("job1") == ["{socket}"]


def test_the_owner_hears_of_the_end(harbour: Harbour) -> None:
    engine = _use(harbour, Engine([sys.executable, "-c", "pass"]))
    harbour.runtime.start("job1", ContainerSpec("x"))
    harbour.until("job1", Phase.EXITED)
    harbour.runtime.forget("job1")
    assert engine.ended == ["job1"]


def test_the_owner_hears_of_one_that_was_stopped(harbour: Harbour) -> None:
    engine = _use(harbour, Engine(SLEEP))
    harbour.runtime.start("replica1", ContainerSpec("x"))
    harbour.runtime.stop("replica1")
    harbour.until("replica1", Phase.EXITED)
    assert harbour.runtime.observe("replica1").asked
    assert engine.ended == ["replica1"]


def test_the_owner_hears_of_a_shim_that_was_killed_as_soon_as_he_can(harbour: Harbour) -> None:
    engine = _use(harbour, Engine(SLEEP))
    engine.away = True
    harbour.runtime.start("job1", ContainerSpec("x"))
    send(harbour.state("job1").shim, signal.SIGKILL)
    assert harbour.until("job1", Phase.EXITED).exit_code is None
    with pytest.raises(OSError, match="the engine is away"):
        harbour.runtime.forget("job1")
    engine.away = False
    assert harbour.runtime.observe("job1").phase is Phase.EXITED
    assert engine.ended == ["job1"]


def test_a_better_reason_is_asked_for_once(harbour: Harbour) -> None:
    engine = _use(harbour, Engine([sys.executable, "-c", "raise SystemExit(137)"]))
    harbour.runtime.start("job1", ContainerSpec("x"))
    harbour.until("job1", Phase.EXITED)
    assert {harbour.runtime.observe("job1").reason for _ in range(3)} == {"the engine knows more about 137"}
    assert engine.asked == 1


def test_no_secret_of_it_is_on_the_disk(harbour: Harbour) -> None:
    _use(harbour, Engine(SLEEP))
    harbour.runtime.start("job1", ContainerSpec("x", env={"PASSWORD": "open-sesame"}))
    files = [path for path in harbour.folder.rglob("*") if path.is_file()]
    assert files
    assert not any(b"open-sesame" in path.read_bytes() for path in files)
