"""A server with played controllers for the clients, and what a shell that uses it has in its environment."""

from collections.abc import Iterator

import pytest

from tests.api.api_server import Server, running_server
from tests.clients.played_controllers import PlayedControllers, install_workflow


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    controllers = PlayedControllers()
    with running_server(tmp_path_factory.mktemp("clients"), wake=controllers.wake) as started:
        controllers.server = started
        install_workflow(started)
        yield started


@pytest.fixture
def environment(server: Server, request: pytest.FixtureRequest) -> dict[str, str]:
    """What `mooring env` exports, with a resource group of the test's own."""
    group = f"client-{abs(hash(request.node.nodeid)):x}"[:40]
    with server.http() as http:
        http.post("/v2/admin/resourceGroups", json={"resourceGroupId": group}).raise_for_status()
    return {
        "AICORE_AUTH_URL": server.url,
        "AICORE_BASE_URL": f"{server.url}/v2",
        "AICORE_CLIENT_ID": server.client.id,
        "AICORE_CLIENT_SECRET": server.client.secret,
        "AICORE_RESOURCE_GROUP": group,
    }
