"""The service key: what people paste where they paste SAP's."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mooring.files import write_atomically
from mooring.home import Home
from mooring.system.destination_key import destination_environment
from mooring.system.errors import CannotStart

if TYPE_CHECKING:
    from mooring.services.clients import NewClient
    from mooring.store.database import Database

_ZONE = "mooring"


def ensure_service_key(home: Home, database: "Database", public_url: str) -> None:
    """Make the first client and its key; later, only keep the addresses in the key up to date."""
    from mooring.services import clients  # the store: not for who only reads a key (`mooring env`)

    key = _read(home) if home.service_key.exists() else {}
    with database.transaction() as session:
        if not key:
            client = clients.create(session)
            key = {"clientid": client.id, "clientsecret": client.secret}
        elif clients.authenticate(session, key["clientid"], key["clientsecret"]) is None:
            clients.register(session, key["clientid"], key["clientsecret"])  # another store than the last time
    wanted = {**key, **_addresses(public_url)}
    if wanted != key:
        _write(home.service_key, wanted)


def new_key(client: "NewClient", public_url: str) -> str:
    """The key of a client, as text."""
    return _text({"clientid": client.id, "clientsecret": client.secret, **_addresses(public_url)})


def write_key(path: Path, client: "NewClient", public_url: str) -> None:
    """Keep a client's key in a file that only its owner can read. Raises OSError."""
    write_atomically(path, new_key(client, public_url).encode(), durable=True)


def own_client(home: Home) -> str | None:
    """The id of the client that the home's own key is for; None before the first start."""
    return str(_read(home)["clientid"]) if home.service_key.exists() else None


def renew_own_key(home: Home, client: "NewClient") -> None:
    """Put the new secret of the home's own client into its key. Raises CannotStart, OSError."""
    _write(home.service_key, {**_read(home), "clientsecret": client.secret})


def client_of(path: Path) -> str | None:
    """The id of the client that this file holds a key for; None for anything else."""
    try:
        # A device or a pipe may have no end.
        found = json.loads(path.read_bytes()) if path.is_file() else None
    except (OSError, ValueError):
        return None
    return str(found["clientid"]) if isinstance(found, dict) and "clientid" in found else None


def environment_of(home: Home) -> dict[str, str]:
    """The variables that clients of the AI API read. Raises CannotStart when there is no service key yet."""
    if not home.service_key.exists():
        raise CannotStart(f"{home.path} holds no service key yet: start Mooring there first (`mooring up`).")
    key = _read(home)
    return {
        "AICORE_AUTH_URL": key["url"],
        "AICORE_BASE_URL": key["serviceurls"]["AI_API_URL"] + "/v2",
        "AICORE_CLIENT_ID": key["clientid"],
        "AICORE_CLIENT_SECRET": key["clientsecret"],
        "AICORE_RESOURCE_GROUP": "default",
        "DESTINATION_CLIENT_ID": key["clientid"],
        "DESTINATION_CLIENT_SECRET": key["clientsecret"],
        "DESTINATION_AUTH_URL": key["url"],
        "DESTINATION_BASE_URL": key["uri"],
        **destination_environment(home),
    }


def _addresses(public_url: str) -> dict[str, Any]:
    return {
        "url": public_url,
        "uri": public_url,
        "identityzone": _ZONE,
        "identityzoneid": _ZONE,
        "appname": "mooring",
        "serviceurls": {"AI_API_URL": public_url},
    }


def _write(path: Path, key: dict[str, Any]) -> None:
    write_atomically(path, _text(key).encode(), durable=True)


def _text(key: dict[str, Any]) -> str:
    return json.dumps(key, indent=2) + "\n"


def _read(home: Home) -> dict[str, Any]:
    try:
        return dict(json.loads(home.service_key.read_bytes()))
    except (OSError, ValueError) as error:
        raise CannotStart(
            f"cannot read {home.service_key}: {error}. Restore it, or remove it to get a new one."
        ) from error
