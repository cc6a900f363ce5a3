"""A container runs as its template and its image say: command, user, variables, folders, exit code, log."""

import contextlib
import json
import os
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from socketserver import StreamRequestHandler, UnixStreamServer

import pytest

from mooring.domain.endpoints import TcpAddress
from mooring.runtimes.base import ContainerSpec, Limits, Mount, Phase, Readiness
from tests import podman
from tests.runtimes.crane import SERVER, Crane


def test_a_job_ends_with_its_own_exit_code_and_its_output_is_in_the_log(crane: Crane) -> None:
    program = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"
    run_id = crane.start(crane.python(program))
    ended = crane.until(run_id, Phase.EXITED)
    assert (ended.exit_code, ended.reason) == (7, "err")
    assert {(line.stream, line.message) for line in crane.lines(run_id)} == {("stdout", "out"), ("stderr", "err")}
    crane.runtime.forget(run_id)
    assert not podman.exists(f"mooring-{run_id}")


@pytest.mark.parametrize(
    ("command", "args", "said"),
    [
        (None, None, ["entry default"]),
        (None, ["a", "--b"], ["entry a --b"]),
        (["/bin/echo", "-n", "x y"], None, ["x y"]),
        (["/bin/echo"], ["--privileged", "$HOME"], ["--privileged $HOME"]),
    ],
)
def test_command_and_arguments_mean_what_they_mean_in_kubernetes(
    crane: Crane, command: list[str] | None, args: list[str] | None, said: list[str]
) -> None:
    image = crane.prepare(podman.opinionated_image())
    assert crane.output(ContainerSpec(image, command, args)) == said


def test_nobody_runs_as_root(crane: Crane) -> None:
    who = ["/bin/sh", "-c", "echo $(id -u):$(id -g)"]
    assert crane.output(ContainerSpec(crane.image, who)) == ["65534:65534"]
    image = crane.prepare(podman.opinionated_image())
    assert crane.output(ContainerSpec(image, who)) == ["1234:1235"]
    assert crane.output(ContainerSpec(image, who, user=2000, group=3000)) == ["2000:3000"]


def test_variables_arrive_whatever_is_in_them(crane: Crane) -> None:
    env = {
        "PLAIN": "a=b # $HOME ${x} `id`",
        "EMPTY": "",
        "BLANKS": "  a  ",
        "LINES": "one\ntwo\n",
        "QUOTED": '"x',
        "UNICODE": "ü€😀",
        "LONG": "x" * 100_000,
        "DOCKER_HOST": "tcp://127.0.0.1:1",
        "LD_PRELOAD": "",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "with.dots-1": "1",
    }
    program = "import json, os; print(json.dumps({k: v if len(v) < 1000 else len(v) for k, v in os.environ.items()}))"
    seen = json.loads(crane.output(crane.python(program, env=env))[0])
    assert {name: seen.get(name) for name in env} == {**env, "LONG": 100_000}


def test_no_value_of_a_variable_stays_with_us_or_is_in_a_command_line(crane: Crane) -> None:
    canary = "canary-5e1f"
    spec = crane.python("import time; time.sleep(60)", env={"A": canary, "B": f"{canary}\n2"})
    run_id = crane.start(spec)
    crane.until(run_id, Phase.READY)
    files = [path for path in crane.folder.parent.rglob("*") if path.is_file()]
    assert not [path for path in files if canary.encode() in path.read_bytes()]
    assert not [line for line in _command_lines() if canary.encode() in line]
    assert canary not in repr(spec)
    secrets = podman.podman("secret", "ls", "--format", "{{.Name}}").split()
    assert [name for name in secrets if run_id in name]
    crane.containers.end(run_id, crane.folder / run_id)
    assert not [name for name in podman.podman("secret", "ls", "--format", "{{.Name}}").split() if run_id in name]


def test_a_server_is_reached_at_its_endpoint_when_it_is_ready(crane: Crane) -> None:
    run_id = crane.start(crane.python(SERVER, readiness=Readiness(8080, "/")))
    crane.until(run_id, Phase.READY)
    where = crane.runtime.endpoint(run_id)
    assert isinstance(where, TcpAddress)
    connection = HTTPConnection(where.host, where.port, timeout=10)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"65534"
    connection.close()
    crane.runtime.stop(run_id)
    assert crane.until(run_id, Phase.EXITED).asked


def test_the_gateway_is_reached_from_inside_at_its_own_port(crane: Crane) -> None:
    class Answer(StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\nthe gateway")

    url = crane.runtime.gateway_url("http://127.0.0.1:18080")
    program = f"import urllib.request as u; print(u.urlopen({url!r}, timeout=10).read().decode())"
    with UnixStreamServer(str(crane.gateway.socket), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        assert crane.output(crane.python(program)) == ["the gateway"]
        server.shutdown()


def test_a_server_may_listen_on_the_gateways_own_port(crane: Crane) -> None:
    program = SERVER.replace("8080", str(crane.gateway.port))
    run_id = crane.start(crane.python(program, readiness=Readiness(crane.gateway.port, "/")))
    crane.until(run_id, Phase.READY)


def test_a_port_that_somebody_took_in_between_is_the_reason_and_the_next_try_has_another(crane: Crane) -> None:
    folder = crane.folder.parent / "unlucky"
    folder.mkdir(mode=0o700)
    spec = crane.python(SERVER, readiness=Readiness(8080))
    ports = []
    for _ in range(2):
        program = crane.containers.program("unlucky", spec, folder)
        assert isinstance(program.endpoint, TcpAddress)
        ports.append(program.endpoint.port)
    assert ports[0] != ports[1]
    with socket.create_server(("127.0.0.1", ports[1])):
        done = subprocess.run(program.argv, env=program.env, capture_output=True, text=True, timeout=30)
    crane.containers.end("unlucky", folder)
    assert done.returncode == 125
    assert f"127.0.0.1:{ports[1]}" in done.stderr
    assert "address already in use" in done.stderr


def test_mounts_are_seen_and_only_writable_ones_can_be_written_to(crane: Crane, tmp_path: Path) -> None:
    shown, work = tmp_path / "shown", tmp_path / "work=1:2"
    for folder in (shown, work):
        folder.mkdir()
        (folder / "a").write_text("read")
        (folder / "a").chmod(0o666)
        folder.chmod(0o777)
    program = """
for path in ("/mnt/shown/a", "/mnt/work/a"):
    print(open(path).read())
    try:
        open(path, "w").write("written")
    except OSError as error:
        print(error.strerror)
"""
    mounts = [Mount(shown, "/mnt/shown"), Mount(work, "/mnt/work", read_only=False)]
    said = crane.output(crane.python(program, mounts=mounts))
    assert said == ["read", "Read-only file system", "read"]
    assert (work / "a").read_text() == "written"


@pytest.mark.parametrize("read_only_root", [False, True])
def test_outputs_can_be_written_where_the_image_has_nothing_and_are_collected(
    crane: Crane, tmp_path: Path, read_only_root: bool
) -> None:
    program = """
import os
os.makedirs("/app/out/model/deep")
open("/app/out/model/deep/a", "w").write("x" * 100000)
open("/app/out/model/run", "w").write("#!")
os.chmod("/app/out/model/run", 0o755)
os.symlink("run", "/app/out/model/again")
os.symlink("/etc/passwd", "/app/out/model/stolen")
os.symlink("../../../../../../etc/hostname", "/app/out/model/stolen-too")
open("/app/out/value", "w").write("42")
"""
    spec = crane.python(program, outputs=["/app/out/model", "/app/out/value"], read_only_root=read_only_root)
    run_id = crane.start(spec)
    assert crane.until(run_id, Phase.EXITED).exit_code == 0, crane.messages(run_id)
    assert crane.runtime.collect(run_id, "/app/out/model", tmp_path / "model")
    assert crane.runtime.collect(run_id, "/app/out/value", tmp_path / "value")
    assert not crane.runtime.collect(run_id, "/app/out/nothing", tmp_path / "nothing")
    assert (tmp_path / "value").read_text() == "42"
    assert {str(path.relative_to(tmp_path / "model")) for path in (tmp_path / "model").rglob("*")} == {
        *("deep", "deep/a", "run", "again")
    }
    assert not [path for path in (tmp_path / "model").rglob("*") if path.is_symlink()]
    assert stat.S_IMODE((tmp_path / "model/run").stat().st_mode) == 0o700
    assert (tmp_path / "model/deep/a").stat().st_uid == os.getuid()


def test_a_link_as_an_output_leads_to_what_the_container_saw(crane: Crane, tmp_path: Path) -> None:
    run_id = crane.start(crane.python("import os; os.symlink('/etc/passwd', '/tmp/out')"))
    crane.until(run_id, Phase.EXITED)
    assert crane.runtime.collect(run_id, "/tmp/out", tmp_path / "out")
    assert (tmp_path / "out").read_text() != Path("/etc/passwd").read_text()
    assert "worker" in (tmp_path / "out").read_text()


def test_memory_is_limited_and_the_reason_says_so(crane: Crane) -> None:
    run_id = crane.start(crane.python("x = bytearray(200 << 20); print(len(x))", limits=Limits(memory_bytes=64 << 20)))
    ended = crane.until(run_id, Phase.EXITED)
    assert ended.exit_code == 137
    assert "more memory than its limit of 64 MiB" in ended.reason


def _command_lines() -> Iterator[bytes]:
    """Of all processes of this machine."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has just ended
            yield path.read_bytes()
