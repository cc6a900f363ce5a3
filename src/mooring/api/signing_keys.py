"""The keys that sign access tokens: PEM files in one folder, readable by their owner only.

All keys of the folder are accepted, the newest signs: a key is rotated by adding a file, and removed once the tokens
that it signed have run out.
"""

import hashlib
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from mooring.files import write_atomically

_BITS = 2048
_EXPONENT = 65537


@dataclass(frozen=True)
class SigningKey:
    """A key pair. `id` is the `kid` of tokens, taken from the public key."""

    id: str
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


def load_or_create(folder: Path) -> list[SigningKey]:
    """The keys of the folder, newest last; the first start makes one. Raises OSError, or ValueError for a bad file."""
    files = sorted(folder.glob("*.pem"))
    if not files:
        files = [_create(folder)]
    return [_read(file) for file in files]


def _create(folder: Path) -> Path:
    key = generate_private_key(public_exponent=_EXPONENT, key_size=_BITS)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / f"signing-{time.time_ns():020d}.pem"
    write_atomically(file, pem, mode=0o600, durable=True)
    return file


def _read(file: Path) -> SigningKey:
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except ValueError as error:
        raise ValueError(f"{file} holds no private key: remove it, and a new one is made") from error
    if not isinstance(key, RSAPrivateKey):
        raise ValueError(f"{file} holds a key of another kind than RSA: remove it, and a new one is made")
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return SigningKey(hashlib.sha256(public).hexdigest()[:16], key)


def _base64(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
