"""Azure Blob Storage: a container, and a shared access signature (or an account's key) for it."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from obstore.store import AzureStore

from mooring.artifacts.object_stores.way_out import RETRIES, client_options, refuse_what_is_out_of_reach
from mooring.domain.object_stores import StoreAccess
from mooring.errors import InvalidRequest
from mooring.network.guard import Guard

if TYPE_CHECKING:
    from obstore.store import AzureCredential  # these are there for type checkers only


def connect_azure(access: StoreAccess, guard: Guard) -> AzureStore:
    """The container below pathPrefix. Raises InvalidRequest, Unavailable, OSError."""
    address, account, container = _parts(access.data["CONTAINER_URI"])
    refuse_what_is_out_of_reach(address, guard)
    return AzureStore(
        container,
        prefix=access.properties.get("pathPrefix"),
        # Whatever the operator's environment may say to the client has to be said here.
        config={
            "account_name": account,
            "endpoint": address,
            "use_emulator": False,
            "use_fabric_endpoint": False,
            "skip_signature": False,
        },
        client_options=client_options(access.properties, guard, plain_http=address.startswith("http://")),
        retry_config=RETRIES,
        credential_provider=lambda: _credential(access.data["STORAGE_ACCESS_KEY"]),
    )


def _parts(container_uri: str) -> tuple[str, str, str]:
    """Address, account and container of `https://<account>.<host>/<container>` or `https://<host>/<account>/<container>`.

    Raises InvalidRequest.
    """
    try:
        parts = urlsplit(container_uri)
        names, host = [name for name in parts.path.split("/") if name], parts.hostname or ""
    except ValueError:
        names, host, parts = [], "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host or len(names) not in (1, 2):
        raise InvalidRequest(
            "CONTAINER_URI of the object store secret is not https://<account>.<host>/<container>: change it with PATCH"
        )
    netloc = parts.netloc.rpartition("@")[2]
    if len(names) == 1:
        return urlunsplit((parts.scheme, netloc, "", "", "")), host.partition(".")[0], names[0]
    return urlunsplit((parts.scheme, netloc, f"/{names[0]}", "", "")), names[0], names[1]


def _credential(key: str) -> "AzureCredential":
    signature = key.partition("?")[2] if "?" in key else key
    if "sig=" in signature:
        return {"sas_token": signature, "expires_at": None}
    return {"access_key": key, "expires_at": None}
