"""The gateways of the other homes that share our replicas."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from mooring.gateway.gateway import Gateway
from mooring.gateway.options import GatewayOptions
from mooring.home import Home
from mooring.processes import running
from mooring.system import sharing


class SharingHomes:
    """Implements `Neighbours`: all that live on this machine, whether their control planes do or not."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._runtime = sharing.runtime_home(home)
        self._known: dict[bytes, Gateway] = {}

    def exclusively(self) -> AbstractContextManager[None]:
        """One control plane publishes at a time."""
        return sharing.exclusively(self._runtime, "routes")

    def gateways(self) -> Sequence[Gateway]:
        """Those that run."""
        found = {}
        for home in sharing.others(self._home):
            options = home.gateway_options
            if running(home.gateway_record) and options.exists():
                content = options.read_bytes()
                found[content] = self._known.get(content) or Gateway(GatewayOptions.from_json(content))
        self._known = found
        return list(found.values())
