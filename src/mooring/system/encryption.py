"""The key that seals secrets in the store: the operator's, else a file in the home."""

import base64
import binascii
import secrets
from pathlib import Path

from sqlalchemy.orm import Session

from mooring.files import write_atomically
from mooring.home import Home
from mooring.settings import Settings
from mooring.store.tables import StoreFact
from mooring.store.vault import KEY_BYTES, Vault
from mooring.system.errors import CannotStart

_FACT = "encryption_key_id"
_SETTING = "MOORING_ENCRYPTION_KEY"


def open_vault(settings: Settings, home: Home) -> Vault:
    """With the key of the settings, else with that of the home, which the first start makes. Raises CannotStart."""
    if settings.encryption_key is not None:
        return _vault(settings.encryption_key.get_secret_value(), _SETTING)
    file = home.keys / "encryption.key"
    if not file.exists():
        _create(file)
    return _vault(file.read_text(), str(file))


def require_key_of_store(session: Session, vault: Vault) -> None:
    """The first key that a store is opened with is the store's. Raises CannotStart when this is another."""
    known = session.get(StoreFact, _FACT)
    if known is None:
        session.add(StoreFact(name=_FACT, value=vault.key_id))
        session.flush()
    elif known.value != vault.key_id:
        raise CannotStart(
            f"the store's secrets are sealed with the key {known.value}, this one is {vault.key_id}. "
            f"Give the right one with {_SETTING}, or restore keys/encryption.key of the home that made the store."
        )


def _create(file: Path) -> None:
    key = base64.b64encode(secrets.token_bytes(KEY_BYTES))
    write_atomically(file, key + b"\n", mode=0o600, durable=True)


def _vault(text: str, source: str) -> Vault:
    try:
        return Vault(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError):
        raise CannotStart(
            f"{source} holds no encryption key: it has to be {KEY_BYTES} bytes in Base64, "
            f"as `head -c {KEY_BYTES} /dev/urandom | base64` makes them."
        ) from None
