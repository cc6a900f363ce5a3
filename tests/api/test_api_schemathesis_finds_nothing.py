"""Whatever can be derived from our OpenAPI document is sent: no 5xx, no undocumented status, no violated schema.

The admin explores both kinds of stores. Who else may do what does not depend on the store.
"""

from typing import Any

import httpx
import pytest

from mooring.domain.roles import Role
from tests.api import known_objects
from tests.api.api_server import Server, on_one_store
from tests.api.exploration import Exploration, explore
from tests.api.known_objects import KnownObjects

pytestmark = pytest.mark.slow
NEVER_GOOD = {
    "POST /oauth/token",
    "POST /webhooks/git",
    "POST /webhooks/mlflow",
    "PATCH /tracking/{permission}/api/v1/metrics",
}
"""They want a secret, or a signature."""


@pytest.fixture
def known(server: Server, http: httpx.Client, group: str) -> KnownObjects:
    return known_objects.make(server, http, group)


@pytest.fixture
def document(http: httpx.Client) -> Any:
    return http.get("/openapi.json").json()


def test_as_an_admin(server: Server, document: Any, known: KnownObjects, group: str) -> None:
    seen = explore(document, known, server.url, _headers(server, group, Role.ADMIN), examples=5)
    _assert_nothing_found(seen)
    assert seen.statuses.keys() - seen.good() == NEVER_GOOD


@on_one_store
def test_as_an_editor(server: Server, document: Any, known: KnownObjects, group: str) -> None:
    seen = explore(document, known, server.url, _headers(server, group, Role.EDITOR), examples=2)
    _assert_nothing_found(seen)
    assert seen.statuses["POST /v2/admin/resourceGroups"].keys() == {403}
    assert "POST /v2/lm/deployments" in seen.good()


@on_one_store
def test_as_a_viewer(server: Server, document: Any, known: KnownObjects, group: str) -> None:
    seen = explore(document, known, server.url, _headers(server, group, Role.VIEWER), examples=2)
    _assert_nothing_found(seen)
    writes = [label for label in seen.statuses if not label.startswith("GET ") and " /v2/" in label]
    assert len(writes) > 30
    assert {status for label in writes for status in seen.statuses[label]} == {403}
    assert "GET /v2/lm/deployments" in seen.good()


@on_one_store
def test_as_a_client_of_one_group(server: Server, document: Any, known: KnownObjects, group: str) -> None:
    seen = explore(document, known, server.url, _headers(server, group, Role.ADMIN, group), examples=2)
    _assert_nothing_found(seen)
    assert "POST /v2/admin/repositories" not in seen.good()
    assert "POST /v2/lm/deployments" in seen.good()


@on_one_store
def test_without_a_token(server: Server, document: Any, known: KnownObjects, group: str) -> None:
    seen = explore(document, known, server.url, {"AI-Resource-Group": group}, examples=1)
    _assert_nothing_found(seen)
    guarded = [label for label in seen.statuses if " /v2/" in label]
    assert len(guarded) > 60
    assert {status for label in guarded for status in seen.statuses[label]} == {401}


@on_one_store
@pytest.mark.parametrize("flaw", ["a status", "a field", "a type"])
def test_what_is_not_as_documented_would_be_found(
    server: Server, document: Any, known: KnownObjects, group: str, flaw: str
) -> None:
    path, headers = "/v2/lm/configurations/{configurationId}", _headers(server, group, Role.VIEWER)
    document["paths"] = {path: {"get": document["paths"][path]["get"]}}
    assert explore(document, known, server.url, headers, examples=5).found == []
    shape = document["components"]["schemas"]["Configuration"]
    if flaw == "a status":
        del document["paths"][path]["get"]["responses"]["404"]
    elif flaw == "a field":
        shape["required"].remove("name")
        del shape["properties"]["name"]
    else:
        shape["properties"]["createdAt"] = {"type": "integer"}
    assert len(explore(document, known, server.url, headers, examples=5).found) == 1


def _headers(server: Server, group: str, role: Role, bound_to: str = "*") -> dict[str, str]:
    token = server.context.tokens.issue(server.client.id, role, [bound_to]).value
    return {"Authorization": f"Bearer {token}", "AI-Resource-Group": group}


def _assert_nothing_found(seen: Exploration) -> None:
    assert not seen.found, "\n\n".join(seen.found)
