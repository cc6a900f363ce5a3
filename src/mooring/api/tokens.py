"""Access tokens: JWTs that we sign and that the gateway and the control plane verify."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from mooring.domain.roles import ALL_GROUPS, Role
from mooring.errors import Unauthorized
from mooring.services import signing_keys
from mooring.services.signing_keys import SigningKey
from mooring.store.types import utc_now

_ALGORITHM = "RS256"
_SCOPE = "mooring"
_CLOCK_SKEW_SECONDS = 30
_CLAIMS = ("iss", "sub", "client_id", "aud", "iat", "exp", "jti", "role", "groups")


@dataclass(frozen=True)
class Principal:
    """Who calls. `groups` are the resource groups that the client may use; `*` stands for all.

    `issued_at` is when the token was, in whole seconds since the epoch.
    """

    client_id: str
    role: Role = Role.ADMIN
    groups: frozenset[str] = frozenset({ALL_GROUPS})
    issued_at: int = 0

    def may_use(self, group: str) -> bool:
        return self.is_for_whole_tenant or group in self.groups

    @property
    def is_for_whole_tenant(self) -> bool:
        """Whether it is bound to no resource groups."""
        return ALL_GROUPS in self.groups


@dataclass(frozen=True)
class IssuedToken:
    """A token and what is told about it. `expires_in` is in seconds."""

    value: str = field(repr=False)
    expires_in: int
    scope: str
    jti: str


@dataclass(frozen=True)
class _Keys:
    """The keys of one moment, in the forms that are needed: replaced as a whole, so that all of it fits together."""

    pairs: tuple[SigningKey, ...]
    public: dict[str, RSAPublicKey]
    jwks: bytes

    @classmethod
    def of(cls, keys: Sequence[SigningKey]) -> "_Keys":
        if not keys:
            raise ValueError("no key to sign with")
        return cls(
            tuple(keys),
            {key.id: key.private.public_key() for key in keys},
            orjson.dumps({"keys": [key.to_jwk() for key in keys]}),
        )


class TokenIssuer:
    """Signs and verifies tokens of one issuer for one audience. Usable from many threads."""

    def __init__(self, keys: Sequence[SigningKey], issuer: str, audience: str, lifetime_seconds: int) -> None:
        self._keys = _Keys.of(keys)
        self._issuer = issuer
        self._audience = audience
        self._lifetime = lifetime_seconds

    def use(self, keys: Sequence[SigningKey]) -> None:
        """From now on accept these keys, newest last, and sign with one of them."""
        self._keys = _Keys.of(keys)

    def issue(
        self,
        client_id: str,
        role: Role = Role.ADMIN,
        groups: Sequence[str] = (ALL_GROUPS,),
        *,
        not_before: datetime | None = None,
    ) -> IssuedToken:
        """A token for a client that has proven who it is.

        `not_before` (a whole second) is from when on the client's tokens are valid: a token that is made in the part
        of a second before it counts as made then.
        """
        now = int(max(time.time(), not_before.timestamp() if not_before else 0.0))
        jti = uuid.uuid4().hex
        claims = {
            "iss": self._issuer,
            "sub": client_id,
            "client_id": client_id,
            "aud": self._audience,
            "iat": now,
            "exp": now + self._lifetime,
            "jti": jti,
            "scope": _SCOPE,
            "role": role.value,
            "groups": list(groups),
        }
        key = signing_keys.signing(self._keys.pairs, utc_now())
        value = jwt.encode(claims, key.private, _ALGORITHM, headers={"kid": key.id})
        return IssuedToken(value, self._lifetime, _SCOPE, jti)

    def verify(self, token: str) -> Principal:
        """Who the token was issued to. Raises Unauthorized, saying why in the words of the gateway."""
        try:
            return _principal(self._decode(token))
        except jwt.ExpiredSignatureError:
            raise Unauthorized("Jwt is expired: get a new token at /oauth/token") from None
        except jwt.InvalidIssuerError:
            raise Unauthorized("Jwt issuer is not configured: get a token at this server's /oauth/token") from None
        except (jwt.PyJWTError, ValueError, TypeError):
            raise Unauthorized("Jwt verification fails: get a token at /oauth/token") from None

    def key_set(self) -> bytes:
        """The public keys, as a JWKS document."""
        return self._keys.jwks

    def _decode(self, token: str) -> dict[str, object]:
        key = self._keys.public.get(str(jwt.get_unverified_header(token).get("kid")))
        if key is None:
            raise jwt.InvalidTokenError("signed with an unknown key")
        claims: dict[str, object] = jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            audience=self._audience,
            issuer=self._issuer,
            leeway=_CLOCK_SKEW_SECONDS,
            options={"require": list(_CLAIMS)},
        )
        return claims


def _principal(claims: dict[str, object]) -> Principal:
    groups = claims["groups"]
    if not isinstance(groups, list):
        raise jwt.InvalidTokenError("groups is no list")
    return Principal(
        client_id=str(claims["client_id"]),
        role=Role(claims["role"]),
        groups=frozenset(str(group) for group in groups),
        issued_at=int(str(claims["iat"])),
    )
