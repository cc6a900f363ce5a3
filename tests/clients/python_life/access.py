"""Raw calls, credentials from where people keep them, and refusals of tokens."""

import json
import os
from unittest.mock import patch

from ai_api_client_sdk.exception import AIAPIAuthenticatorAuthorizationException, AIAPIAuthorizationException
from ai_core_sdk.ai_core_v2_client import AICoreV2Client

from tests.clients.python_life.world import World, refused


def raw_calls(world: World) -> None:
    raw = world.core.rest_client
    assert raw.get_token().startswith("Bearer ")
    made = raw.post("/admin/resourceGroups", body={"resource_group_id": f"{world.group}-raw"})
    path = f"/admin/resourceGroups/{made['resource_group_id']}"
    assert raw.get(path)["status"] == "PROVISIONED"
    assert raw.patch(path, body={"labels": []}) == ""
    assert raw.delete(path)["message"]
    assert raw.get("/lm/deployments", params={"$top": 1, "status": "DEAD"})["resources"] == []
    assert isinstance(raw.get("/lm/configurations/$count"), int)
    for kind in ("deployments", "executions"):
        for item in raw.get(f"/lm/{kind}", params={"$select": "status"})["resources"]:
            assert item.keys() <= {"id", "configuration_id", "status", "created_at", "modified_at", "details"}


def credentials_of_the_environment(world: World) -> None:
    client = AICoreV2Client.from_env()
    assert client.base_url == world.url
    assert client.scenario.query().count >= 1


def a_service_key(world: World) -> None:
    """3.x takes one from the environment; 2.x does not know that variable and finds no credentials."""
    key = {
        "clientid": os.environ["AICORE_CLIENT_ID"],
        "clientsecret": os.environ["AICORE_CLIENT_SECRET"],
        "url": os.environ["AICORE_AUTH_URL"],
        "serviceurls": {"AI_API_URL": world.url.removesuffix("/v2")},
    }
    nothing_else = {name: value for name, value in os.environ.items() if not name.startswith("AICORE_")}
    with patch.dict(os.environ, {**nothing_else, "AICORE_SERVICE_KEY": json.dumps(key)}, clear=True):
        if world.generation >= 3:
            assert AICoreV2Client.from_env().scenario.query().count >= 1
        else:
            refused(AICoreV2Client.from_env, TypeError)


def no_token_at_all(world: World) -> None:
    """3.x can leave it out: the server says 401, in a form that the SDK knows. 2.x sends it all the same."""
    with patch.dict(os.environ, {"SKIP_AUTHORIZATION": "true"}):
        if world.generation >= 3:
            refused(world.core.scenario.query, AIAPIAuthorizationException)
        else:
            assert world.core.scenario.query().count >= 1


def wrong_credentials(world: World) -> None:
    auth_url = os.environ["AICORE_AUTH_URL"] + "/oauth/token"
    stranger = AICoreV2Client(world.url, auth_url, os.environ["AICORE_CLIENT_ID"], "wrong")
    refused(stranger.scenario.query, AIAPIAuthenticatorAuthorizationException)
    forged = AICoreV2Client(world.url, token_creator=lambda: "Bearer forged")
    refused(forged.scenario.query, AIAPIAuthorizationException)
