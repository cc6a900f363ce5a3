"""The key for the Destination service: a client of its own, which may do nothing else."""

import json
from typing import TYPE_CHECKING, Any

from mooring.domain.roles import Role
from mooring.files import write_atomically
from mooring.home import Home
from mooring.system.errors import CannotStart

if TYPE_CHECKING:
    from mooring.services.clients import NewClient
    from mooring.store.database import Database


def ensure_destination_key(home: Home, database: "Database", public_url: str) -> None:
    """Make the client and its key; later, only keep the addresses in the key up to date."""
    from mooring.services import clients  # the store: not for who only reads a key (`mooring env`)

    key = _read(home) if home.destination_key.exists() else {}
    with database.transaction() as session:
        if not key:
            made = clients.create(session, role=Role.DESTINATIONS, groups=())
            key = {"clientid": made.id, "clientsecret": made.secret}
        elif clients.authenticate(session, key["clientid"], key["clientsecret"]) is None:
            clients.register(session, key["clientid"], key["clientsecret"])  # another store than the last time
            clients.change(session, key["clientid"], role=Role.DESTINATIONS)
    wanted = {**key, "url": public_url, "uri": public_url}
    if wanted != key:
        _write(home, wanted)


def own_destination_client(home: Home) -> str | None:
    """The id of the client that the home's key is for; None before the first start."""
    return str(_read(home)["clientid"]) if home.destination_key.exists() else None


def renew_own_destination_key(home: Home, client: "NewClient") -> None:
    """Put the new secret into the key. Raises CannotStart, OSError."""
    _write(home, {**_read(home), "clientsecret": client.secret})


def destination_environment(home: Home) -> dict[str, str]:
    """The variables that clients of the Destination service read; none before the key was made."""
    if not home.destination_key.exists():
        return {}
    key = _read(home)
    return {
        "DESTINATION_CLIENT_ID": key["clientid"],
        "DESTINATION_CLIENT_SECRET": key["clientsecret"],
        "DESTINATION_AUTH_URL": key["url"],
        "DESTINATION_BASE_URL": key["uri"],
    }


def _write(home: Home, key: dict[str, Any]) -> None:
    write_atomically(home.destination_key, (json.dumps(key, indent=2) + "\n").encode(), durable=True)


def _read(home: Home) -> dict[str, Any]:
    try:
        return dict(json.loads(home.destination_key.read_bytes()))
    except (OSError, ValueError) as error:
        raise CannotStart(
            f"cannot read {home.destination_key}: {error}. Restore it, or remove it to get a new one."
        ) from error
