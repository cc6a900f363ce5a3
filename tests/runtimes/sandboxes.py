"""A runtime whose containers are sandboxes around a folder of small Python programs."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mooring.domain.stand_ins import StandIn, StandIns
from mooring.runtimes.base import ContainerSpec, ImageError, ImageRequest, Phase, Readiness
from mooring.runtimes.sandbox import bubblewrap
from mooring.runtimes.sandbox.containers import Gateway, SandboxContainers
from mooring.runtimes.sandbox.environments import Environments
from tests.runtimes.harbour import Harbour, until

IMAGE = "team/model:1"
SERVE = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *args):
        pass
    def do_GET(self):
        status, body = answer(self.path)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
def answer(path):
    return 200, os.environ.get("NAME", "ok").encode()
def serve(port=8080):
    http.server.ThreadingHTTPServer(("0.0.0.0", port), Handler).serve_forever()
"""


def need_bubblewrap() -> None:
    """Skips a test that cannot be run here."""
    try:
        bubblewrap.isolation()
    except ImageError as error:
        pytest.skip(f"no sandbox on this machine: {error}")


class Sandboxes:
    """`harbour.runtime` runs containers; the stand-in's files lie in `source`, the gateway's socket in `gateway`."""

    def __init__(self, folder: Path, harbour: Harbour, environments: Environments, **options: Any) -> None:
        self.folder = folder
        self.harbour = harbour
        self.source = folder / "source"
        self.source.mkdir(exist_ok=True)
        self.gateway = Gateway(folder / "gateway" / "gateway.sock", 8090)
        self.gateway.socket.parent.mkdir(exist_ok=True)
        self.environments = environments
        self.containers = SandboxContainers(
            StandIns({IMAGE: StandIn(self.source)}), self.environments, gateway=self.gateway, **options
        )
        harbour.runtime = harbour.another(containers=self.containers)
        self.image = harbour.runtime.prepare(ImageRequest(IMAGE))

    def spec(self, program: str, env: Mapping[str, str] | None = None, **options: Any) -> ContainerSpec:
        """A job that runs this Python program."""
        return ContainerSpec(self.image, command=["python", "-c", program], env=env or {}, **options)

    def server(self, extra: str = "", port: int = 8080, path: str | None = "/", **options: Any) -> ContainerSpec:
        """A server that answers 200 to everything, unless `extra` redefines `answer(path)`."""
        return self.spec(f"{SERVE}\n{extra}\nserve({port})", readiness=Readiness(port, path), **options)

    def run(self, spec: ContainerSpec, run_id: str = "job1") -> list[str]:
        """Run a job to its end; what it said."""
        self.harbour.runtime.start(run_id, spec)
        self.harbour.until(run_id, Phase.EXITED)
        return self.harbour.messages(run_id)

    def says(self, run_id: str, words: str) -> None:
        """Wait until it has said this."""
        until(f"{run_id} says {words}", lambda: words in self.harbour.messages(run_id))

    def processes_of(self, run_id: str) -> list[int]:
        """All processes that belong to this sandbox, and not to one of the same name in another test."""
        mark = f"\0{self.harbour.folder / run_id}/".encode()
        found = []
        for path in Path("/proc").iterdir():
            words = _read(path / "cmdline") if path.name.isdecimal() else b""
            if mark in words and b"--hostname\0" in words:
                found += [int(path.name), *_below(int(path.name))]
        return found


def _below(pid: int) -> Iterator[int]:
    for child in _read(Path(f"/proc/{pid}/task/{pid}/children")).split():
        yield int(child)
        yield from _below(int(child))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@contextmanager
def without_bubblewrap() -> Iterator[None]:
    """As on a machine where it is not installed."""
    paths = os.environ["PATH"]
    os.environ["PATH"] = os.pathsep.join(
        path for path in paths.split(os.pathsep) if not shutil.which("bwrap", path=path)
    )
    try:
        yield
    finally:
        os.environ["PATH"] = paths
