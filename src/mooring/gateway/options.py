"""How one gateway runs, and where its files lie."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class GatewayOptions:
    """Everything that the gateway has to know apart from the routes.

    `sockets` is a folder with a short path, for Envoy's admin socket. `key_set` is a JWKS document (JSON); a token
    must be signed by one of its keys and carry `issuer` and `audience`. A `port` below 1 is refused by Envoy.
    `start_seconds` bounds both the start and every change of configuration. `request_timeout_seconds` bounds the
    silence on a request: until the answer begins, and between two pieces of it.
    """

    directory: Path
    log: Path
    sockets: Path
    host: str
    port: int
    control_plane: Path
    key_set: bytes
    issuer: str
    audience: str
    request_timeout_seconds: float
    max_request_bytes: int
    start_seconds: float

    @property
    def bootstrap_file(self) -> Path:
        return self.directory / "bootstrap.json"

    @property
    def listeners_file(self) -> Path:
        return self.directory / "listeners.json"

    @property
    def routes_file(self) -> Path:
        return self.directory / "routes.json"

    @property
    def clusters_file(self) -> Path:
        return self.directory / "clusters.json"

    @property
    def record(self) -> Path:
        """Which Envoy runs, and with what."""
        return self.directory / "envoy.record"

    @property
    def admin_socket(self) -> Path:
        return self.sockets / "gateway-admin.sock"
