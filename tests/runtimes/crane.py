"""Real containers: a runtime of its own, with podman behind it."""

import sys
import uuid
from pathlib import Path
from typing import Any

from mooring.runtimes.base import ContainerSpec, ImageRequest, Phase
from mooring.runtimes.container.engine import EngineContainers, EngineOptions
from mooring.runtimes.process.runtime import ProcessRuntime
from mooring.runtimes.sandbox.containers import Gateway
from tests import podman
from tests.runtimes.harbour import Harbour

SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{os.getuid()}".encode())
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""


class Crane(Harbour):
    """`program` and `run` make specs of the plain test image; ids are unlike those of any other test."""

    def __init__(self, folder: Path) -> None:
        client = podman.client()
        assert client
        self.client = client
        self.owner = f"test{uuid.uuid4().hex[:12]}"
        self.gateway = Gateway(folder / "gateway.sock", 18080)
        self.containers = self.engine()
        super().__init__(folder)
        self.image = self.prepare(podman.image())

    def engine(self, **options: Any) -> EngineContainers:
        """Another one for the same home."""
        state = self.gateway.socket.parent / "containers"
        given = {"gateway": self.gateway, "create_options": podman.create_options(), **options}
        return EngineContainers(self.client, EngineOptions(owner=self.owner, state=state, **given))

    def another(self, **options: Any) -> ProcessRuntime:
        """As after a restart of the control plane."""
        return ProcessRuntime(folder=self.folder, sockets=self.sockets, containers=self.containers, **options)

    def prepare(self, image: str) -> str:
        """The id of an image that is here."""
        return self.runtime.prepare(ImageRequest(image))

    def python(self, program: str, **options: Any) -> ContainerSpec:
        """A container that runs this Python program."""
        return ContainerSpec(self.image, [f"{sys.base_prefix}/bin/python3", "-u", "-c", program], **options)

    def start(self, spec: ContainerSpec) -> str:
        """The id of what was started."""
        run_id = f"run{uuid.uuid4().hex[:12]}"
        self.runtime.start(run_id, spec)
        return run_id

    def output(self, spec: ContainerSpec) -> list[str]:
        """All that a job has written, to its end."""
        run_id = self.start(spec)
        self.until(run_id, Phase.EXITED)
        return self.messages(run_id)

    def close(self) -> None:
        """Neither process nor container nor network stays."""
        try:
            super().close()
        finally:
            self.containers.end_all_but([])
            names = podman.podman("network", "ls", "--filter", f"label=mooring.home={self.owner}", "--quiet").split()
            if names:
                podman.podman("network", "rm", "--force", *names)
