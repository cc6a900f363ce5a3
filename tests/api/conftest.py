"""One server per kind of store for all tests of a worker; each test has a resource group of its own."""

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from ai_core_sdk.ai_core_v2_client import AICoreV2Client

from tests.api.api_server import Server, running_server


@pytest.fixture(scope="session")
def server(session_store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("api"), session_store) as started:
        yield started


@pytest.fixture
def group(server: Server) -> str:
    name = f"test-{uuid.uuid4().hex[:12]}"
    with server.http() as http:
        http.post("/v2/admin/resourceGroups", json={"resourceGroupId": name}).raise_for_status()
    return name


@pytest.fixture
def http(server: Server, group: str) -> Iterator[httpx.Client]:
    with server.http(group) as client:
        yield client


@pytest.fixture
def sdk(server: Server, group: str) -> Any:
    """The official Python client."""
    return AICoreV2Client(
        base_url=f"{server.url}/v2",
        auth_url=f"{server.url}/oauth/token",
        client_id=server.client.id,
        client_secret=server.client.secret,
        resource_group=group,
    )
