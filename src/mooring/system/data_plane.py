"""What outlives the control plane: the gateway, the replicas, and what those are forked from.

`mooring status` and `mooring down` need no more, so nothing here may import the control plane, which takes seconds.
"""

from mooring.gateway.gateway import Gateway
from mooring.gateway.options import GatewayOptions
from mooring.home import Home
from mooring.runtimes.containers import Containers
from mooring.runtimes.process.forkserver.servers import ForkServers
from mooring.runtimes.process.runtime import ProcessRuntime
from mooring.settings import Settings


def known_gateway(home: Home) -> Gateway | None:
    """The gateway of a home that was started before, to end it."""
    try:
        return Gateway(GatewayOptions.from_json(home.gateway_options.read_bytes()))
    except FileNotFoundError:
        return None


def fork_servers(home: Home) -> ForkServers:
    """What the replicas of a home are forked from."""
    return ForkServers(home.replicas / ".forks", home.sockets)


def process_runtime(
    settings: Settings, home: Home, containers: Containers | None = None, *, starts: bool = False
) -> ProcessRuntime:
    """`starts`: not only looked at and ended by it, but started."""
    return ProcessRuntime(
        folder=home.replicas,
        sockets=home.sockets,
        containers=containers,
        log_file_bytes=settings.log_file_bytes,
        disk_bytes=settings.run_disk_bytes,
        fork_servers=fork_servers(home) if starts and settings.fork_servers else None,
        warm_seconds=settings.fork_seconds,
    )
