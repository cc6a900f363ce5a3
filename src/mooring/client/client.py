"""The way in: one client for one AI API server and resource group."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from mooring.client.applications import Applications
from mooring.client.artifacts import Artifacts
from mooring.client.configurations import Configurations
from mooring.client.connection import Connection
from mooring.client.credentials import Credentials
from mooring.client.deployments import Deployments
from mooring.client.executions import Executions
from mooring.client.meta import Meta
from mooring.client.resource_groups import ResourceGroups
from mooring.client.scenarios import Executables, Scenarios
from mooring.http_session import HttpSession, Repeats


class AIClient:
    """The AI API v2 of Mooring or SAP AI Core, typed. Safe to use from several threads.

    Every call ends within `timeout_seconds`, repeats and the fetching of a token included, and raises ApiError
    (`mooring.client.errors`) when it fails. `transport` replaces the network, for a unix socket say.
    """

    def __init__(
        self,
        base_url: str,
        auth_url: str,
        client_id: str,
        client_secret: str,
        resource_group: str = "default",
        *,
        timeout_seconds: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        repeats: Repeats | None = None,
    ) -> None:
        credentials = Credentials(base_url.rstrip("/"), auth_url, client_id, client_secret, resource_group)
        self._http = HttpSession(base_url, transport=transport, timeout_seconds=timeout_seconds, repeats=repeats)
        self._connection = connection = Connection(self._http, credentials, timeout_seconds=timeout_seconds)
        self.credentials = credentials
        self.applications = Applications(connection)
        self.artifacts = Artifacts(connection)
        self.scenarios = Scenarios(connection)
        self.executables = Executables(connection)
        self.configurations = Configurations(connection)
        self.deployments = Deployments(connection)
        self.executions = Executions(connection)
        self.meta = Meta(connection)
        self.resource_groups = ResourceGroups(connection)

    @classmethod
    def from_service_key(
        cls,
        key: Mapping[str, Any] | Path,
        *,
        resource_group: str = "default",
        timeout_seconds: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> Self:
        """From a service key in SAP's shape or the file that holds one. Raises ValueError, OSError."""
        credentials = Credentials.from_service_key(key, resource_group=resource_group)
        return cls.of(credentials, timeout_seconds=timeout_seconds, transport=transport)

    @classmethod
    def from_env(cls, *, timeout_seconds: float = 30.0, transport: httpx.BaseTransport | None = None) -> Self:
        """From the AICORE_* variables. Raises ValueError naming those that are missing."""
        return cls.of(Credentials.from_env(), timeout_seconds=timeout_seconds, transport=transport)

    @classmethod
    def of(
        cls,
        credentials: Credentials,
        *,
        timeout_seconds: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        repeats: Repeats | None = None,
    ) -> Self:
        """With credentials from wherever they were found."""
        return cls(
            credentials.base_url,
            credentials.auth_url,
            credentials.client_id,
            credentials.client_secret,
            credentials.resource_group,
            timeout_seconds=timeout_seconds,
            transport=transport,
            repeats=repeats,
        )

    def access_token(self) -> str:
        """A token that is valid now, for requests to the deployments' own URLs. Raises ApiError."""
        return self._connection.access_token()

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
