"""Google Cloud Storage, with the key of a service account."""

import binascii
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import jwt
from obstore.store import GCSStore

from mooring.artifacts.errors import SourceAway, WrongCredentials
from mooring.artifacts.object_stores.way_out import (
    RETRIES,
    address_of,
    client_options,
    has_operators_proxy,
    has_plain_http,
    refuse_what_is_out_of_reach,
)
from mooring.domain.object_stores import StoreAccess
from mooring.errors import InvalidRequest
from mooring.network.guard import Guard

if TYPE_CHECKING:
    from obstore.store import GCSCredential  # these are there for type checkers only

_HOST = "storage.googleapis.com"
_TOKENS = "https://oauth2.googleapis.com/token"
_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
_TOKEN_SECONDS = 3600
_MARGIN = timedelta(minutes=5)
_ASKING_SECONDS = 20.0
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def connect_gcs(access: StoreAccess, guard: Guard) -> GCSStore:
    """The bucket below pathPrefix. Raises InvalidRequest, Unavailable, WrongCredentials, SourceAway, OSError."""
    known = access.properties
    account = _account(access.data["PRIVATE_KEY"])
    address = address_of(known, _HOST)
    refuse_what_is_out_of_reach(address, guard)
    return GCSStore(
        access.data["BUCKET"],
        prefix=known.get("pathPrefix"),
        config={"base_url": address, "skip_signature": False},
        client_options=client_options(known, guard, plain_http=has_plain_http(known)),
        retry_config=RETRIES,
        # Not the client's own way to a token: it would mix the account with one of the operator's environment.
        credential_provider=_Tokens(account, guard),
    )


class _Tokens:
    """The first is asked for at once: what is wrong with the account is told by us, and not by the client."""

    def __init__(self, account: Mapping[str, Any], guard: Guard) -> None:
        self._account = account
        self._guard = guard
        self._last = _credential(account, guard)

    def __call__(self) -> "GCSCredential":
        expires = self._last["expires_at"]
        if expires is None or expires < datetime.now(UTC) + _MARGIN:
            self._last = _credential(self._account, self._guard)
        return self._last


def _account(private_key: str) -> Mapping[str, Any]:
    """What the downloaded file of a service account says. Raises InvalidRequest."""
    try:
        account = json.loads(binascii.a2b_base64(private_key))
        return {name: account[name] for name in ("client_email", "private_key")} | {
            "token_uri": account.get("token_uri") or _TOKENS
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidRequest(
            "PRIVATE_KEY of the object store secret is not the key file of a service account in base64: "
            "change it with PATCH"
        ) from None


def _credential(account: Mapping[str, Any], guard: Guard) -> "GCSCredential":
    """A token for an hour. Raises WrongCredentials, SourceAway."""
    now = int(time.time())
    claims = {
        "iss": account["client_email"],
        "scope": _SCOPE,
        "aud": account["token_uri"],
        "iat": now,
        "exp": now + _TOKEN_SECONDS,
    }
    try:
        assertion = jwt.encode(claims, account["private_key"], algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError):
        raise WrongCredentials("the private key of the service account in the object store secret is none") from None
    answer = _asked(account["token_uri"], {"grant_type": _GRANT, "assertion": assertion}, guard)
    expires = datetime.now(UTC) + timedelta(seconds=float(answer.get("expires_in", _TOKEN_SECONDS)))
    return {"token": str(answer["access_token"]), "expires_at": expires}


def _asked(address: str, form: Mapping[str, str], guard: Guard) -> Mapping[str, Any]:
    proxy = None if has_operators_proxy() else guard.proxy_url()
    try:
        with httpx.Client(proxy=proxy, trust_env=proxy is None, timeout=_ASKING_SECONDS) as http:
            answer = http.post(address, data=dict(form))
        found = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        raise SourceAway("the token server of the service account does not answer: try again in a moment") from None
    if answer.status_code != httpx.codes.OK or not isinstance(found, dict) or "access_token" not in found:
        raise WrongCredentials("Google gives no token for the service account in the object store secret: change it")
    return found
