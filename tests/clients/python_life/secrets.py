"""Object store secrets, docker registry secrets, generic secrets: their values never come back."""

import base64
import uuid

from ai_api_client_sdk.exception import AIAPIInvalidRequestException, AIAPINotFoundException

from tests.clients.python_life.world import World, refused


def object_store_secrets(world: World) -> None:
    client, name = world.core.object_store_secrets, _name("store")
    data = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "kept-secret"}
    where = {"bucket": "b", "endpoint": "s3.example", "region": "eu-central-1", "path_prefix": "p"}
    assert client.create(name, "S3", data, **where).message
    one = client.get(name)
    assert one.name in (name, f"{name}-object-store-secret")
    assert one.metadata["storage.ai.sap.com/bucket"] == "b"
    assert "kept-secret" not in str(vars(one))
    assert client.query(top=1).count == 1
    assert client.modify(name, "S3", data, **{**where, "bucket": "other"}).message
    assert client.get(name).metadata["storage.ai.sap.com/bucket"] == "other"
    assert client.delete(name).message
    refused(lambda: client.get(name), AIAPINotFoundException)
    refused(lambda: client.create(name, "floppy", data), AIAPIInvalidRequestException)


def docker_registry_secrets(world: World) -> None:
    client, name = world.core.docker_registry_secrets, _name("images")
    data = {".dockerconfigjson": '{"auths": {"images.example": {"username": "u", "password": "kept-secret"}}}'}
    assert client.create(name, data).message
    assert client.get(name).name == name
    assert name in {found.name for found in client.query().resources}
    # 2.x sends application/json, 3.x application/merge-patch+json
    assert client.modify(name, data).message
    assert client.delete(name).message
    refused(lambda: client.get(name), AIAPINotFoundException)
    refused(lambda: client.create(name, {"other": "{}"}), AIAPIInvalidRequestException)


def secrets_of_the_tenant(world: World) -> None:
    _secrets(world, ai_tenant_scope=True)


def secrets_of_the_group(world: World) -> None:
    _secrets(world, ai_tenant_scope=False)


def _secrets(world: World, *, ai_tenant_scope: bool) -> None:
    client, name, scope = world.core.secrets, _name("secret"), {"ai_tenant_scope": ai_tenant_scope}
    data = {"apiKey": base64.b64encode(b"kept-secret").decode()}
    assert client.create(name, data, **scope).message
    found = next(secret for secret in client.query(**scope).resources if secret.name == name)
    assert found.data is None
    other_scope = client.query(ai_tenant_scope=not ai_tenant_scope).resources
    assert name not in {secret.name for secret in other_scope}
    assert client.modify(name, data, **scope).message
    assert client.delete(name, **scope).message
    refused(lambda: client.delete(name, **scope), AIAPINotFoundException)
    refused(lambda: client.create(name, {"k": "no base64!"}, **scope), AIAPIInvalidRequestException)


def _name(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:12]}"
