"""How one gateway runs, and where its files lie."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self


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

    def to_json(self) -> bytes:
        """For those who look after this gateway without having started it."""
        fields = {**asdict(self), "key_set": self.key_set.decode()}
        return json.dumps({name: _plain(value) for name, value in fields.items()}).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """What `to_json` wrote. Raises ValueError, TypeError."""
        fields: dict[str, Any] = json.loads(content)
        paths = {name: Path(fields[name]) for name in ("directory", "log", "sockets", "control_plane")}
        return cls(**{**fields, **paths, "key_set": str(fields["key_set"]).encode()})

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

    @property
    def inside_socket(self) -> Path:
        """The way in for containers. It is alone in its folder, which they see."""
        return self.sockets / "gateway" / "gateway.sock"


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value
