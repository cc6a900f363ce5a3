"""The service key: what people paste where they paste SAP's."""

import json
from typing import Any

from mooring.files import write_atomically
from mooring.home import Home
from mooring.services import clients
from mooring.store.database import Database
from mooring.system.errors import CannotStart

_ZONE = "mooring"


def ensure_service_key(home: Home, database: Database, public_url: str) -> None:
    """Make the first client and its key; later, only keep the addresses in the key up to date."""
    key = _read(home) if home.service_key.exists() else {}
    with database.transaction() as session:
        if not key:
            client = clients.create(session)
            key = {"clientid": client.id, "clientsecret": client.secret}
        elif clients.authenticate(session, key["clientid"], key["clientsecret"]) is None:
            clients.register(session, key["clientid"], key["clientsecret"])  # another store than the last time
    wanted = {
        **key,
        "url": public_url,
        "uri": public_url,
        "identityzone": _ZONE,
        "identityzoneid": _ZONE,
        "appname": "mooring",
        "serviceurls": {"AI_API_URL": public_url},
    }
    if wanted != key:
        write_atomically(home.service_key, json.dumps(wanted, indent=2).encode() + b"\n", durable=True)


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
    }


def _read(home: Home) -> dict[str, Any]:
    try:
        return dict(json.loads(home.service_key.read_bytes()))
    except (OSError, ValueError) as error:
        raise CannotStart(
            f"cannot read {home.service_key}: {error}. Restore it, or remove it to get a new one."
        ) from error
