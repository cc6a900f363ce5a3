"""Where something listens, as the gateway reaches it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TcpAddress:
    """Where something listens, when that is no unix socket."""

    host: str
    port: int


Endpoint = Path | TcpAddress
"""Where the gateway reaches a replica: a unix socket, or an address of this machine."""
