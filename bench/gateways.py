"""A gateway to measure with: its options, and a client with a token that it accepts."""

import json
import time
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from mooring.gateway.options import GatewayOptions

START_SECONDS = 20.0
_ISSUER, _AUDIENCE = "http://bench", "bench"
_TOKEN_SECONDS = 6 * 3600


class Client:
    """Who asks: a key, the set that the gateway checks with, and a token."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def key_set(self) -> bytes:
        public = jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return json.dumps({"keys": [{**public, "kid": "bench", "alg": "ES256"}]}).encode()

    def token(self) -> str:
        """Good for a long run."""
        now = int(time.time())
        client = {"sub": "bench", "client_id": "bench", "role": "viewer", "groups": ["default"]}
        claims = {"iss": _ISSUER, "aud": _AUDIENCE, "iat": now, "exp": now + _TOKEN_SECONDS, **client}
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": "bench"})


def gateway_options(folder: Path, port: int, key_set: bytes) -> GatewayOptions:
    """Everything in `folder`, no control plane behind."""
    return GatewayOptions(
        directory=folder / "gateway",
        log=folder / "gateway.log",
        sockets=folder,
        host="127.0.0.1",
        port=port,
        control_plane=folder / "nobody.sock",
        key_set=key_set,
        issuer=_ISSUER,
        audience=_AUDIENCE,
        request_timeout_seconds=60.0,
        max_request_bytes=104_857_600,
        start_seconds=START_SECONDS,
    )
