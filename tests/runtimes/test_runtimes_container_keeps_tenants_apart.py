"""A hostile program in a container finds neither the engine, nor others' containers, nor rights; and all of it ends."""

import json
import signal
from pathlib import Path

import pytest

from mooring.processes import send
from mooring.runtimes.base import ContainerSpec, Phase, Readiness
from tests import podman
from tests.runtimes.crane import SERVER, Crane
from tests.runtimes.harbour import until

_SEARCH = """
import glob, json, os, socket
found = {"root": []}
known = ("/run/podman/podman.sock", "/var/run/docker.sock", "/run/docker.sock")
found["sockets"] = [path for path in (*known, *glob.glob("/run/**/*.sock", recursive=True)) if os.path.exists(path)]
for act in ("os.setuid(0)", "os.chroot('/')", "os.mknod('/tmp/disk', 0o60666, os.makedev(8, 0))", "os.mkdir('/etc/x')",
            "os.sethostname('x')", "open('/proc/sysrq-trigger', 'w').write('x')", "open('/dev/mem', 'rb')"):
    try:
        exec(act)
        found["root"].append(act)
    except (OSError, AttributeError):
        pass
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
found["capabilities"] = status["CapEff"].strip()
found["no_new_privileges"] = status["NoNewPrivs"].strip()
found["processes"] = [pid for pid in os.listdir("/proc") if pid.isdigit()]
found["env"] = sorted(os.environ)
print(json.dumps(found))
"""


def test_nothing_of_the_engine_or_of_root_is_found_inside(crane: Crane) -> None:
    found = json.loads(crane.output(crane.python(_SEARCH))[0])
    assert found["sockets"] == []
    assert found["root"] == []
    assert int(found["capabilities"], 16) == 0
    assert found["no_new_privileges"] == "1"
    assert len(found["processes"]) <= 3  # the init, and itself
    assert set(found["env"]) <= {"PATH", "HOME", "TERM", "HOSTNAME", "container"}


@pytest.mark.slow
def test_containers_of_another_group_cannot_be_reached(crane: Crane) -> None:
    mine = crane.start(crane.python(SERVER, readiness=Readiness(8080, "/"), network="mine"))
    crane.until(mine, Phase.READY)
    address = podman.podman(
        "container",
        "inspect",
        "--format",
        "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
        f"mooring-{mine}",
    )
    program = f"""
import socket
try:
    socket.create_connection(({address!r}, 8080), 1)
    print("reached")
except OSError:
    print("not reached")
"""
    assert crane.output(crane.python(program, network="mine")) == ["reached"]  # so it is the right address
    assert crane.output(crane.python(program, network="theirs")) == ["not reached"]
    port = crane.runtime.endpoint(mine).port  # type: ignore[union-attr]
    gateway = f"{address.rpartition('.')[0]}.1"
    for host in (gateway, "127.0.0.1"):
        published = program.replace(repr(address), repr(host)).replace("8080", str(port))
        assert crane.output(crane.python(published, network="theirs")) == ["not reached"]


def test_a_fork_bomb_hits_its_limit(crane: Crane) -> None:
    program = """
import os, time
children = 0
try:
    for _ in range(5000):
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        children += 1
except OSError as error:
    print(type(error).__name__, 0 < children < 64)
"""
    crane.containers = crane.engine(processes=64)
    crane.runtime = crane.another()
    assert crane.output(crane.python(program)) == ["BlockingIOError True"]


def test_a_container_whose_shim_was_killed_is_ended(crane: Crane) -> None:
    run_id = crane.start(crane.python("import time; time.sleep(600)"))
    crane.until(run_id, Phase.READY)
    program = until("it runs", lambda: _process_of(run_id))
    send(crane.state(run_id).shim, signal.SIGKILL)
    crane.until(run_id, Phase.EXITED)
    assert not podman.exists(f"mooring-{run_id}")
    assert not Path(f"/proc/{program}").exists()


def test_containers_without_a_run_are_ended_and_those_of_others_are_not(crane: Crane) -> None:
    kept, lost = (crane.start(crane.python("import time; time.sleep(600)")) for _ in range(2))
    for run_id in (kept, lost):
        crane.until(run_id, Phase.READY)
    stranger = Crane(crane.folder.parent / "stranger")
    assert stranger.containers.end_all_but([]) == []
    assert crane.containers.end_all_but([kept]) == [lost]
    assert podman.exists(f"mooring-{kept}")
    assert not podman.exists(f"mooring-{lost}")


def test_a_start_that_was_broken_off_is_begun_anew(crane: Crane) -> None:
    folder = crane.folder.parent / "broken"
    folder.mkdir(mode=0o700)
    for _ in range(2):
        crane.containers.program("brokenoff", ContainerSpec(crane.image, ["x"], readiness=Readiness(8080)), folder)
    assert len(list((crane.folder.parent / "containers/ports").iterdir())) == 1
    crane.containers.end("brokenoff", folder)
    assert not list((crane.folder.parent / "containers/ports").iterdir())
    crane.containers.end("brokenoff", folder)


def test_one_that_does_not_listen_to_being_asked_is_killed_in_time(crane: Crane) -> None:
    program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(600)"
    run_id = crane.start(crane.python(program, stop_grace_seconds=0.5))
    until("it has begun", lambda: crane.messages(run_id) == ["deaf"])
    inside = _process_of(run_id)
    crane.runtime.stop(run_id)
    ended = crane.until(run_id, Phase.EXITED)
    assert "0.5 s" in ended.reason
    crane.runtime.forget(run_id)
    assert not Path(f"/proc/{inside}").exists()


def _process_of(run_id: str) -> int:
    return int(podman.podman("container", "inspect", "--format", "{{.State.Pid}}", f"mooring-{run_id}"))
