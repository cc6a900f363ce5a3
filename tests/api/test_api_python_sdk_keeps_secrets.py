"""The official Python SDK's clients for secrets."""

import base64
import json
import uuid
from typing import Any

import pytest
from ai_api_client_sdk.exception import AIAPINotFoundException, AIAPIServerException

from mooring.services import generic_secrets, object_store_secrets
from tests.api.api_server import Server

VALUE = base64.b64encode(b"opensesame").decode()


@pytest.fixture
def name() -> str:
    return f"k-{uuid.uuid4().hex[:12]}"


@pytest.mark.parametrize("tenant_scope", [True, False, None])
def test_generic_secrets(sdk: Any, server: Server, group: str, name: str, tenant_scope: bool | None) -> None:
    """Trap 20: with no word about it, the SDK means the tenant's."""
    scope: dict[str, bool] = {} if tenant_scope is None else {"ai_tenant_scope": tenant_scope}
    assert sdk.secrets.create(name, {"API_KEY": VALUE}, **scope).message == "Secret has been created"
    assert name in {secret.name for secret in sdk.secrets.query(**scope).resources}
    assert sdk.secrets.query(top=1, skip=0, **scope).count == 1
    assert sdk.secrets.modify(name, {"API_KEY": VALUE}, **scope).message == "Secret has been modified"
    with server.database.reading() as session:
        kept_in = generic_secrets.TENANT if tenant_scope is not False else group
        assert generic_secrets.get(session, kept_in, name).scope == kept_in
    assert sdk.secrets.delete(name, **scope).message == "Secret has been deleted"
    with pytest.raises(AIAPINotFoundException):
        sdk.secrets.delete(name, **scope)


def test_keys_that_the_sdk_has_changed_are_kept_as_they_came(sdk: Any, server: Server, group: str, name: str) -> None:
    """Trap 20: nobody can undo it here; whoever needs `api-key` sends plain REST."""
    sdk.secrets.create(name, {"api-key": VALUE, "hf_token": VALUE, "API_KEY": VALUE}, ai_tenant_scope=False)
    with server.database.reading() as session:
        kept = generic_secrets.opened(session, server.context.vault, group, name)
    assert kept == dict.fromkeys(("apiKey", "hfToken", "API_KEY"), b"opensesame")


def test_object_store_secrets(sdk: Any, server: Server, group: str, name: str) -> None:
    data = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "opensesame"}
    made = sdk.object_store_secrets.create(name, "S3", data, "wine", "s3.example", "eu", "cellar", usehttps="0")
    assert made.message == "Object store secret has been created"
    found = sdk.object_store_secrets.get(name)
    assert (found.name, found.metadata["storage.ai.sap.com/pathPrefix"]) == (name, "cellar")
    assert found.metadata["serving.kubeflow.org/s3-usehttps"] == "0"
    assert sdk.object_store_secrets.query(top=1).resources[0].name == name
    assert sdk.object_store_secrets.modify(name, "S3", data, "beer").id == name
    with server.database.reading() as session:
        row = object_store_secrets.get(session, group, name)
        access = object_store_secrets.opened(server.context.vault, row)
    assert (access.data, access.properties["bucket"]) == (data, "beer")
    with pytest.raises(AIAPIServerException):
        sdk.object_store_secrets.create(name, "S3", data, "wine")
    assert sdk.object_store_secrets.delete(name).id == name
    with pytest.raises(AIAPINotFoundException):
        sdk.object_store_secrets.get(name)


def test_docker_registry_secrets(sdk: Any, name: str) -> None:
    config = json.dumps({"auths": {"images.example": {"username": "reader", "password": "opensesame"}}})
    data = {".dockerconfigjson": config}
    assert sdk.docker_registry_secrets.create(name, data).message == "Docker registry secret has been created"
    assert sdk.docker_registry_secrets.get(name).name == name
    assert name in {found.name for found in sdk.docker_registry_secrets.query().resources}
    assert sdk.docker_registry_secrets.query(top=1).count == 1
    assert sdk.docker_registry_secrets.modify(name, data).id == name  # a merge patch (trap 21)
    assert sdk.docker_registry_secrets.delete(name).id == name
    with pytest.raises(AIAPINotFoundException):
        sdk.docker_registry_secrets.get(name)
