"""The keys that sign access tokens: in the store, sealed, so that a token of one control plane is good at another.

All of them are accepted. The newest signs, once it has been there for so long that every control plane and every
gateway knows it.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from sqlalchemy import select
from sqlalchemy.orm import Session

from mooring.store.tables import SigningKey as Row
from mooring.store.types import utc_now
from mooring.store.vault import Vault

_BITS = 2048
_EXPONENT = 65537
_BECOMES_KNOWN = timedelta(seconds=60)


@dataclass(frozen=True)
class SigningKey:
    """A key pair. `id` is the `kid` of tokens, taken from the public key."""

    id: str
    created_at: datetime
    private: RSAPrivateKey = field(repr=False)

    def to_jwk(self) -> dict[str, str]:
        """The public half, as RFC 7517 has it."""
        numbers = self.private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.id,
            "n": _base64(numbers.n),
            "e": _base64(numbers.e),
        }


def generate() -> SigningKey:
    """A new key."""
    return _key(generate_private_key(public_exponent=_EXPONENT, key_size=_BITS), utc_now())


def load(session: Session, vault: Vault, known: Sequence[SigningKey] = ()) -> list[SigningKey]:
    """The keys of the store, newest last. Raises CannotOpen.

    Those that are known are not opened again: checking an RSA key takes 40 ms of a core.
    """
    opened = {key.id: key for key in known}
    rows = session.scalars(select(Row).order_by(Row.created_at, Row.id))
    return [opened.get(row.id) or _open(row, vault) for row in rows]


def keep(session: Session, vault: Vault, key: SigningKey) -> None:
    """Put a key into the store unless it is there."""
    if session.get(Row, key.id) is None:
        sealed = vault.seal(_encoded(key), place=_place(key.id))
        session.add(Row(id=key.id, private_key=sealed, created_at=key.created_at))
        session.flush()


def signing(keys: Sequence[SigningKey], now: datetime) -> SigningKey:
    """Which of them signs, newest last."""
    known = [key for key in keys if key.created_at + _BECOMES_KNOWN <= now]
    return known[-1] if known else keys[0]


def read(file: Path) -> SigningKey:
    """A key from a PEM file, as old as the file. Raises OSError, or ValueError for a bad file."""
    try:
        private = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except ValueError as error:
        raise ValueError(f"{file} holds no private key: remove it, and a new one is made") from error
    if not isinstance(private, RSAPrivateKey):
        raise ValueError(f"{file} holds a key of another kind than RSA: remove it, and a new one is made")
    return _key(private, datetime.fromtimestamp(file.stat().st_mtime, UTC))


def _open(row: Row, vault: Vault) -> SigningKey:
    private = serialization.load_der_private_key(vault.open(row.private_key, place=_place(row.id)), password=None)
    if not isinstance(private, RSAPrivateKey):
        raise TypeError(f"the signing key {row.id} is of another kind than RSA")
    return SigningKey(row.id, row.created_at, private)


def _key(private: RSAPrivateKey, created_at: datetime) -> SigningKey:
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return SigningKey(hashlib.sha256(public).hexdigest()[:16], created_at, private)


def _encoded(key: SigningKey) -> bytes:
    return key.private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _place(key_id: str) -> str:
    return f"signing_keys/{key_id}"


def _base64(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
