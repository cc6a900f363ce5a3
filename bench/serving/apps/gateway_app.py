"""`mooring serve` on a unix socket, and the gateway with its token check in front of it; both end with this."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from bench.gateways import gateway_options
from bench.serving.apps.settings import Settings
from mooring.gateway.gateway import Gateway
from mooring.gateway.routes import DeploymentRoute, Routes


def main() -> None:
    """The key set of whoever will ask lies in `BENCH_SCRATCH`."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    settings, scratch = Settings.read(), Path(os.environ["BENCH_SCRATCH"])
    socket = scratch / "replica.sock"
    program = Path(sys.executable).with_name("mooring")
    replica = subprocess.Popen([program, "serve", settings.model, "--name", "bench", "--uds", socket])
    gateway = Gateway(gateway_options(scratch, settings.port, (scratch / "keys.json").read_bytes()))
    try:
        gateway.ensure_running()
        gateway.apply(Routes((DeploymentRoute("bench", "default", (socket,)),)))
        ended.wait()
    finally:
        gateway.stop(grace_seconds=1)
        replica.terminate()
        replica.wait(timeout=30)


if __name__ == "__main__":
    main()
