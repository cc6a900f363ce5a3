"""The Destination service of Mooring or SAP BTP, typed: destinations of the subaccount."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
from pydantic import Field

from mooring.client.connection import ApiObject, Connection, parse
from mooring.client.credentials import Credentials
from mooring.client.errors import Conflict, ServerError
from mooring.http_session import HttpSession, Repeats

_API = "/destination-configuration/v1"
_COLLECTION = f"{_API}/subaccountDestinations"
_TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
_NAMES = ("DESTINATION_BASE_URL", "DESTINATION_AUTH_URL", "DESTINATION_CLIENT_ID", "DESTINATION_CLIENT_SECRET")


class RolledBack(ApiObject):
    """`undone` is `canary` or `move`; `url` is where the destination points now."""

    name: str = Field(alias="Name")
    url: str = Field(alias="URL")
    undone: str = Field(alias="Undone")


class Move(ApiObject):
    """Where a destination pointed from a moment on."""

    url: str = Field(alias="URL")
    since: str = Field(alias="Since")
    by: str = Field(alias="By")


class CheckStep(ApiObject):
    """One thing that was tried."""

    name: str = Field(alias="Step")
    ok: bool = Field(alias="OK")
    detail: str = Field(alias="Detail")


class Check(ApiObject):
    """What was tried, and whether all of it worked."""

    ok: bool = Field(alias="OK")
    steps: list[CheckStep] = Field(alias="Steps")


class DestinationClient:
    """Every call raises ApiError when it fails. Roll-backs, histories and checks are Mooring's alone."""

    def __init__(
        self,
        base_url: str,
        auth_url: str,
        client_id: str,
        client_secret: str,
        *,
        timeout_seconds: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        repeats: Repeats | None = None,
    ) -> None:
        base, auth = base_url.rstrip("/").removesuffix(_API), auth_url.rstrip("/").removesuffix(_TOKEN_PATH)
        credentials = Credentials(base, auth + _TOKEN_PATH, client_id, client_secret)
        self._http = HttpSession(base, transport=transport, timeout_seconds=timeout_seconds, repeats=repeats)
        self._connection = Connection(self._http, credentials, timeout_seconds=timeout_seconds)

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, *, timeout_seconds: float = 30.0) -> Self:
        """From the DESTINATION_* variables. Raises ValueError naming those that are missing."""
        env = os.environ if env is None else env
        missing = [name for name in _NAMES if not env.get(name)]
        if missing:
            raise ValueError(f"not set: {', '.join(missing)}; `mooring env` prints them, a service key holds them")
        return cls(*(env[name] for name in _NAMES), timeout_seconds=timeout_seconds)

    @classmethod
    def from_key(cls, file: Path) -> Self:
        """From a file with `uri`, `url`, `clientid` and `clientsecret`. Raises ValueError, OSError."""
        key = json.loads(file.read_bytes())
        try:
            return cls(key["uri"], key["url"], key["clientid"], key["clientsecret"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"{file} has no {error}: it needs uri, url, clientid and clientsecret") from error

    def all(self) -> list[dict[str, str]]:
        """All of them, flat, with their secrets."""
        found = self._connection.call("GET", _COLLECTION)
        if not isinstance(found, list):
            raise ServerError(200, f"GET {_COLLECTION}: the answer is no list")
        return found

    def get(self, name: str) -> dict[str, str]:
        """One of them, flat, with its secrets."""
        found: dict[str, str] = self._connection.call("GET", _at(name))
        return found

    def set(self, properties: Mapping[str, str]) -> None:
        """Make it as said, whether it exists (by its `Name`) or not."""
        try:
            self._connection.call("POST", _COLLECTION, body=dict(properties))
        except Conflict:
            self._connection.call("PUT", _COLLECTION, body=dict(properties))

    def delete(self, name: str) -> None:
        self._connection.call("DELETE", _at(name))

    def roll_back(self, name: str) -> RolledBack:
        """End its canary if it has one, else point to where it pointed before."""
        return parse(RolledBack, self._connection.call("POST", f"{_at(name)}/rollback"))

    def history(self, name: str) -> list[Move]:
        """Newest first: the first is where it points now."""
        found: list[Any] = self._connection.call("GET", f"{_at(name)}/history")
        return [parse(Move, each) for each in found]

    def check(self, name: str) -> Check:
        """Connect, get a token, call the target."""
        return parse(Check, self._connection.call("POST", f"{_at(name)}/check"))

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _at(name: str) -> str:
    return f"{_COLLECTION}/{quote(name, safe='')}"
