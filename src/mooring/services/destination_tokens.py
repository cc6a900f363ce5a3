"""Ready tokens for destinations: fetched where the destination says, and kept for a few minutes."""

import base64
import threading
import time
from collections.abc import Mapping
from typing import Any, Protocol

from mooring.http_session import NoAnswer, Reply
from mooring.services.destinations import Opened

AuthToken = dict[str, Any]
"""As the find answer has it; with `error` when there is no token to be had."""

_KEPT_SECONDS = 120.0
"""Not longer, because whoever has issued a token may take it back."""
_LEAST_REST_SECONDS = 300
_MOST_KEPT = 1000
_LONGEST_REASON = 200
_SECONDS_WHEN_UNSAID = "3600"


class Outside(Protocol):
    """The way out (`mooring.network.calls`)."""

    def connect(self, url: str) -> None: ...

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Reply: ...


class DestinationTokens:
    """Usable from many threads."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, int], tuple[float, AuthToken]] = {}

    def of(self, destination: Opened) -> list[AuthToken]:
        """One token, or the reason why there is none; nothing for destinations that need none."""
        match destination.properties.get("Authentication", "NoAuthentication"):
            case "NoAuthentication":
                return []
            case "BasicAuthentication":
                return [_basic(destination.properties)]
            case "OAuth2ClientCredentials":
                return [self._kept_or_fetched(destination)]
            case other:
                return [failed(f"Mooring gets no tokens for Authentication {other[:_LONGEST_REASON]}")]

    def _kept_or_fetched(self, destination: Opened) -> AuthToken:
        key = (destination.level.value, destination.name, destination.version)
        fetched_at, token = self._kept.get(key, (0.0, None))
        age = time.monotonic() - fetched_at
        if token is not None and age < _KEPT_SECONDS:
            return {**token, "expires_in": str(int(int(token["expires_in"]) - age))}
        token = self._fetch(destination.properties)
        if "error" not in token and int(token["expires_in"]) > _KEPT_SECONDS + _LEAST_REST_SECONDS:
            with self._lock:
                self._kept[key] = (time.monotonic(), token)
                while len(self._kept) > _MOST_KEPT:
                    del self._kept[next(iter(self._kept))]
        return token

    def _fetch(self, properties: Mapping[str, str]) -> AuthToken:
        url = properties["tokenServiceURL"]
        try:
            reply = self._outside.send(
                "POST",
                url,
                headers={**_basic_header(properties), **prefixed(properties, "tokenServiceURL.headers.")},
                params=prefixed(properties, "tokenServiceURL.queries."),
                form=_form(properties),
            )
        except NoAnswer as error:
            return failed(f"the token service does not answer: {error}")
        return _token_in(reply)


def prefixed(properties: Mapping[str, str], prefix: str) -> dict[str, str]:
    """`URL.headers.<H>` and the like: what follows the prefix, with its value."""
    return {key.removeprefix(prefix): value for key, value in properties.items() if key.startswith(prefix)}


def failed(reason: str) -> AuthToken:
    """How the Destination service tells that there is no token; the status of the answer stays 200."""
    return {"type": "", "value": "", "error": reason, "expires_in": "0"}


def _basic(properties: Mapping[str, str]) -> AuthToken:
    return _ready("Basic", _encoded(properties["User"], properties.get("Password", "")))


def _basic_header(properties: Mapping[str, str]) -> dict[str, str]:
    """For token services that have a door of their own."""
    if "tokenServiceUser" not in properties:
        return {}
    user = _encoded(properties["tokenServiceUser"], properties.get("tokenServicePassword", ""))
    return {"Authorization": f"Basic {user}"}


def _encoded(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def _form(properties: Mapping[str, str]) -> dict[str, str]:
    form = {
        "grant_type": "client_credentials",
        "client_id": properties["clientId"],
        "client_secret": properties.get("clientSecret", ""),
        "scope": properties.get("scope", ""),
    }
    return {key: value for key, value in form.items() if value}


def _token_in(reply: Reply) -> AuthToken:
    try:
        content = reply.json()
    except ValueError:
        content = None
    known = content if isinstance(content, dict) else {}
    value = known.get("access_token")
    if not reply.ok or not isinstance(value, str) or not value:
        reason = known.get("error_description") or known.get("error") or "no access_token in the answer"
        return failed(f"the token service answers {reply.status}: {str(reason)[:_LONGEST_REASON]}")
    lifetime = str(known.get("expires_in", _SECONDS_WHEN_UNSAID))
    more = {"scope": known["scope"]} if isinstance(known.get("scope"), str) else {}
    expires_in = lifetime if lifetime.isdecimal() else _SECONDS_WHEN_UNSAID
    return {**_ready("Bearer", value), "expires_in": expires_in, **more}


def _ready(kind: str, value: str) -> AuthToken:
    return {"type": kind, "value": value, "http_header": {"key": "Authorization", "value": f"{kind} {value}"}}
