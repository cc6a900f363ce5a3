"""Seals what must not be readable in the store or in a backup of it: AES-256-GCM with one key per store.

What is sealed is bound to its place (the table and the row's key), so that a sealed value that was moved to another row
does not open there.
"""

import hashlib
import os
from collections.abc import Mapping

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_NONCE_BYTES = 12
_FORM = b"\x01"
"""The first byte of all that is sealed, so that another form can follow."""


class CannotOpen(Exception):
    """Sealed with another key, for another place, or damaged."""


class Vault:
    """Seals and opens with one key. Usable from many threads; neither the key nor what it seals is ever shown."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"an encryption key has {KEY_BYTES} bytes, this one has {len(key)}")
        self._key = key
        self._cipher = AESGCM(key)

    @property
    def key_id(self) -> str:
        """Tells keys apart without telling the key: 16 hexadecimal digits."""
        return hashlib.sha256(b"mooring key id" + self._key).hexdigest()[:16]

    def seal(self, content: bytes, *, place: str) -> bytes:
        """The content, readable only with this key and for this place."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORM + nonce + self._cipher.encrypt(nonce, content, place.encode())

    def open(self, sealed: bytes, *, place: str) -> bytes:
        """What was sealed for this place. Raises CannotOpen."""
        nonce, encrypted = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if sealed[:1] != _FORM:
            raise CannotOpen(f"what is sealed for {place} has an unknown form")
        try:
            return self._cipher.decrypt(nonce, encrypted, place.encode())
        except (InvalidTag, ValueError):
            raise CannotOpen(f"what is sealed for {place} was sealed with another key, or is damaged") from None

    def seal_values(self, values: Mapping[str, str], *, place: str) -> bytes:
        """A mapping of texts, sealed."""
        return self.seal(orjson.dumps(dict(values)), place=place)

    def open_values(self, sealed: bytes, *, place: str) -> dict[str, str]:
        """What `seal_values` has sealed. Raises CannotOpen."""
        values: dict[str, str] = orjson.loads(self.open(sealed, place=place))
        return values

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for another purpose, the same whenever it is asked for."""
        return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(self._key)
