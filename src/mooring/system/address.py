"""Where the gateway listens, and how clients reach it."""

import json
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

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
    """The address to use; a port of 0 means the one used before in this home, else a free one.

    Raises CannotStart when the host is not to be had.
    """
    kept = kept_address(home)
    port = settings.port or (kept.port if kept else 0) or _free_port(settings.host)
    public_url = settings.public_url or f"http://{_public_host(settings.host)}:{port}"
    return Address(settings.host, port, public_url.rstrip("/"))


def keep_address(home: Home, address: Address) -> None:
    """For the next start, and for `mooring status`."""
    write_atomically(_record(home), json.dumps(asdict(address)).encode())


def kept_address(home: Home) -> Address | None:
    """The address that this home was last started with."""
    try:
        record = json.loads(_record(home).read_bytes())
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
                "Stop what uses it, or choose another address with --host and --port."
            ) from error


def _record(home: Home) -> Path:
    return home.run / "address.json"


def _public_host(host: str) -> str:
    """How clients on this machine reach it."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 (compared, not bound)
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _free_port(host: str) -> int:
    try:
        with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
            return int(listener.getsockname()[1])
    except OSError as error:
        raise CannotStart(f"cannot listen on {host}: {error.strerror}. Choose another address with --host.") from error
