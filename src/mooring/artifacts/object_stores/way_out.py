"""What all clients of object stores have in common: the way through the guard, patience, and words before a call."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from mooring.errors import InvalidRequest, Unavailable
from mooring.network.guard import Guard
from mooring.network.reach import OutOfReach

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig  # these are there for type checkers only

_CONNECT = timedelta(seconds=5)
_SILENCE = timedelta(seconds=30)
_WHOLE_REQUEST = timedelta(minutes=30)
"""As long as the gateway lets a file take (`gateway/control_plane_routes.py`)."""
RETRIES: "RetryConfig" = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
_HTTPS_PORT = 443


def client_options(known: Mapping[str, str], guard: Guard, *, plain_http: bool) -> "ClientConfig":
    """For a store with these properties. Raises OSError."""
    options: ClientConfig = {
        "allow_http": plain_http,
        "allow_invalid_certificates": known.get("verifyssl", "1") == "0",
        "connect_timeout": _CONNECT,
        "read_timeout": _SILENCE,
        "timeout": _WHOLE_REQUEST,
    }
    if not has_operators_proxy():
        options["proxy_url"] = guard.proxy_url()
    return options


def address_of(known: Mapping[str, str], default: str) -> str:
    """The endpoint with the scheme that the secret asks for; `default` is a host."""
    _, _, host = (known.get("endpoint") or default).rpartition("://")
    return f"{'http' if has_plain_http(known) else 'https'}://{host}"


def has_plain_http(known: Mapping[str, str]) -> bool:
    """`usehttps` is "0" or "1"; not given, it is "1"."""
    return known.get("usehttps", "1") == "0"


def refuse_what_is_out_of_reach(address: str, guard: Guard) -> None:
    """In words, before anything is sent; whatever this does not see, the guard does."""
    try:
        parts = urlsplit(address)
        guard.reach.addresses(parts.hostname or "", parts.port or _HTTPS_PORT)
    except ValueError:
        raise InvalidRequest("the endpoint of the object store secret is no host with a port: change it") from None
    except OutOfReach as error:
        raise InvalidRequest(
            f"the endpoint of the object store secret cannot be used: {error}. "
            "The operator can allow it with the setting object_store_hosts"
        ) from None
    except OSError:
        if not has_operators_proxy():  # which may know names that we do not
            raise Unavailable("the host of the object store's endpoint is not known: try again in a moment") from None


def has_operators_proxy() -> bool:
    """Then it is the operator's proxy that says what can be reached."""
    return bool(getproxies().keys() & {"http", "https", "all"})
