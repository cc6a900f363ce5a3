"""Where the gateway listens, and how clients reach it."""

import json
import socket
from dataclasses import dataclass

from mooring.files import write_atomically
from mooring.home import Home
from mooring.settings import Settings
from mooring.system.errors import CannotStart


@dataclass(frozen=True)
class Address:
    """The gateway's listening address and its public base URL (no trailing slash)."""

    host: str
    port: int
    public_url: str


def choose_address(settings: Settings, home: Home) -> Address:
    """The address to use; a port of 0 means the one used before in this home, else a free one, which is then kept.

    Raises CannotStart when the port is not to be had.
    """
    record = home.run / "address.json"
    port = settings.port or _kept_port(home) or _free_port(settings.host)
    public_host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 (compared, not bound)
    public_url = (settings.public_url or f"http://{public_host}:{port}").rstrip("/")
    write_atomically(record, json.dumps({"host": settings.host, "port": port, "public_url": public_url}).encode())
    return Address(settings.host, port, public_url)


def kept_address(home: Home) -> Address | None:
    """The address that this home was last started with."""
    try:
        record = json.loads((home.run / "address.json").read_bytes())
        return Address(record["host"], int(record["port"]), record["public_url"])
    except (OSError, ValueError, KeyError):
        return None


def check_port_is_free(address: Address) -> None:
    """Raises CannotStart when somebody else listens there."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            raise CannotStart(
                f"cannot listen on {address.host}:{address.port}: {error.strerror}. "
                "Stop what uses it, or choose another with --host and --port (--port 0 takes a free one)."
            ) from error


def _kept_port(home: Home) -> int | None:
    kept = kept_address(home)
    return kept.port if kept else None


def _free_port(host: str) -> int:
    try:
        with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
            return int(listener.getsockname()[1])
    except OSError as error:
        raise CannotStart(f"cannot listen on {host}: {error.strerror}. Choose another address with --host.") from error
