"""Docker's own client, talking to a daemon that only listens: what it understands of our command lines."""

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from mooring.runtimes.base import ContainerSpec, Limits, Mount, Readiness
from mooring.runtimes.container.client import Client
from mooring.runtimes.container.command import Surroundings, create_command
from mooring.runtimes.container.environment import handed_over
from mooring.runtimes.container.flavours import DOCKER
from mooring.runtimes.container.networks import make


@dataclass
class Daemon:
    """What it was asked for, by path."""

    client: Client
    asked: dict[str, Any] = field(default_factory=dict)


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    program = shutil.which("docker")
    if program is None:
        pytest.skip("docker's client is not on this machine: `apt-get install docker-cli`")
    found = Daemon(Client(program, DOCKER))

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(b"")

        def do_GET(self) -> None:
            self._answer(b"{}")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            found.asked[self.path.partition("?")[0].split("/", 2)[2]] = json.loads(body)
            self._answer(b'{"Id": "made", "Warnings": []}', 201)

        def _answer(self, body: bytes, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Api-Version", "1.45")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.server_port}")
        yield found
        server.shutdown()


def test_a_container_is_what_its_spec_says(daemon: Daemon, tmp_path: Path) -> None:
    spec = ContainerSpec(
        "a" * 64,
        ["serve", "--x"],
        ["y"],
        env={"A": "1 # $x", "DOCKER_HOST": "tcp://evil"},
        mounts=[Mount(Path("/srv/a=b:c"), "/mnt/models"), Mount(Path("/srv/w"), "/mnt/work", read_only=False)],
        readiness=Readiness(8080),
        read_only_root=True,
        limits=Limits(memory_bytes=1 << 30, cpus=0.5),
    )
    around = Surroundings("run1", "home1", "net1", "", 40000, 64)
    with handed_over(daemon.client, "run1", spec.env, tmp_path) as options:
        daemon.client.run(create_command(DOCKER, spec, around, options))
    asked = daemon.asked["containers/create"]
    host = asked["HostConfig"]
    assert (asked["Entrypoint"], asked["Cmd"], asked["User"]) == (["serve"], ["--x", "y"], "65534:65534")
    assert asked["Env"] == ["A=1 # $x", "DOCKER_HOST=tcp://evil"]
    assert asked["Labels"] == {"mooring.home": "home1", "mooring.run": "run1"}
    assert host["PortBindings"] == {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "40000"}]}
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"], host["PidsLimit"]) == (
        1 << 30,
        1 << 30,
        5 * 10**8,
        64,
    )
    assert (host["CapDrop"], host["SecurityOpt"], host["ReadonlyRootfs"]) == (["ALL"], ["no-new-privileges"], True)
    assert (host["NetworkMode"], host["Privileged"], host["Init"]) == ("net1", False, True)
    assert [(mount["Source"], mount["Target"], mount.get("ReadOnly", False)) for mount in host["Mounts"]] == [
        ("/srv/a=b:c", "/mnt/models", True),
        ("/srv/w", "/mnt/work", False),
    ]
    assert not list(tmp_path.iterdir())


def test_what_docker_cannot_take_is_refused_in_words(daemon: Daemon, tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="mount the secret as a volume") as refused,
        handed_over(daemon.client, "run1", {"KEY": "canary\nline"}, tmp_path),
    ):
        pass
    assert "canary" not in str(refused.value)


def test_containers_of_one_network_do_not_reach_each_other(daemon: Daemon) -> None:
    make(daemon.client, "net1", "home1")
    asked = daemon.asked["networks/create"]
    assert (asked["Name"], asked["Labels"]) == ("net1", {"mooring.home": "home1"})
    assert asked["Options"] == {"com.docker.network.bridge.enable_icc": "false"}
