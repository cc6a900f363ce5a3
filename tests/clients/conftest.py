"""A server with played controllers for the clients, and what a shell that uses it has in its environment."""

import uuid
from collections.abc import Iterator

import pytest

from tests.api.api_server import Server, running_server, workflow_executable
from tests.clients.played_controllers import PlayedControllers
from tests.clients.python_life.world import DATA_INPUT, SCENARIO, WORKFLOW


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    controllers = PlayedControllers()
    with running_server(tmp_path_factory.mktemp("clients"), wake=controllers.wake) as started:
        controllers.server = started
        workflow_executable(started, WORKFLOW, input_artifacts=[DATA_INPUT], scenario_id=SCENARIO)
        yield started


@pytest.fixture
def environment(server: Server) -> dict[str, str]:
    """What `mooring env` exports, with a resource group of the test's own."""
    group = f"client-{uuid.uuid4().hex[:12]}"
    with server.http() as http:
        http.post("/v2/admin/resourceGroups", json={"resourceGroupId": group}).raise_for_status()
    return {
        "AICORE_AUTH_URL": server.url,
        "AICORE_BASE_URL": f"{server.url}/v2",
        "AICORE_CLIENT_ID": server.client.id,
        "AICORE_CLIENT_SECRET": server.client.secret,
        "AICORE_RESOURCE_GROUP": group,
    }
