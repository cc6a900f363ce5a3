"""What was sealed is read again for a container, from the scopes that it may use."""

import base64
import json

import pytest
from sqlalchemy.orm import Session

from mooring.domain.object_stores import StoreType
from mooring.errors import InvalidRequest, NotFound
from mooring.services import docker_registry_secrets, generic_secrets, object_store_secrets, resource_groups
from mooring.services.generic_secrets import ALL_GROUPS, MOST_OF_ALL_GROUPS, TENANT, NewSecret
from mooring.store.tables import ResourceGroup
from mooring.store.vault import KEY_BYTES, CannotOpen, Vault


@pytest.fixture
def vault() -> Vault:
    return Vault(bytes(KEY_BYTES))


def _add_group(session: Session, group: str) -> None:
    session.add(ResourceGroup(id=group))
    session.flush()


def _secret(name: str, value: bytes) -> NewSecret:
    return NewSecret(name, {"k": base64.b64encode(value).decode()})


def test_a_groups_own_comes_before_one_of_all_and_the_tenants_is_not_for_containers(
    session: Session, vault: Vault
) -> None:
    def opened() -> bytes:
        return generic_secrets.opened(session, vault, "default", "n")["k"]

    generic_secrets.create(session, vault, TENANT, _secret("n", b"tenant"))
    with pytest.raises(NotFound, match="'n'"):
        opened()
    generic_secrets.create(session, vault, ALL_GROUPS, _secret("n", b"all"))
    assert opened() == b"all"
    generic_secrets.create(session, vault, "default", _secret("n", b"own"))
    assert opened() == b"own"
    generic_secrets.change(session, vault, "default", _secret("n", b"\0\xff"))
    assert opened() == b"\0\xff"


def test_another_groups_secret_is_not_opened(session: Session, vault: Vault) -> None:
    _add_group(session, "other")
    generic_secrets.create(session, vault, "other", _secret("n", b"theirs"))
    with pytest.raises(NotFound):
        generic_secrets.opened(session, vault, "default", "n")


def test_a_sealed_value_in_another_row_does_not_open(session: Session, vault: Vault) -> None:
    theirs = generic_secrets.create(session, vault, TENANT, _secret("n", b"theirs"))
    ours = generic_secrets.create(session, vault, "default", _secret("n", b"ours"))
    ours.data = theirs.data
    session.flush()
    with pytest.raises(CannotOpen):
        generic_secrets.opened(session, vault, "default", "n")


def test_at_most_so_many_are_for_all_groups(session: Session, vault: Vault) -> None:
    for number in range(MOST_OF_ALL_GROUPS):
        generic_secrets.create(session, vault, ALL_GROUPS, _secret(f"n{number}", b""))
    with pytest.raises(InvalidRequest, match=str(MOST_OF_ALL_GROUPS)):
        generic_secrets.create(session, vault, ALL_GROUPS, _secret("more", b""))
    assert generic_secrets.count(session, ALL_GROUPS) == MOST_OF_ALL_GROUPS
    assert generic_secrets.count(session, TENANT) == 0


def test_an_object_stores_access(session: Session, vault: Vault) -> None:
    data = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "opensesame"}
    new = object_store_secrets.NewSecret("default", StoreType.S3, data, {"bucket": "wine"})
    row = object_store_secrets.create(session, vault, "default", new)
    access = object_store_secrets.opened(vault, row)
    assert (access.type, access.properties, access.data) == (StoreType.S3, {"bucket": "wine"}, data)
    assert "opensesame" not in repr(access) + repr(new) + repr(_secret("n", b"opensesame"))


def test_a_registrys_credentials(session: Session, vault: Vault) -> None:
    config = {"auths": {"images.example": {"username": "reader", "password": "opensesame"}}}
    docker_registry_secrets.create(session, vault, "images", json.dumps(config))
    assert docker_registry_secrets.opened(session, vault, "images") == config
    assert docker_registry_secrets.count(session) == 1


def test_a_removed_group_leaves_no_secret_for_the_next_of_its_name(session: Session, vault: Vault) -> None:
    _add_group(session, "team")
    generic_secrets.create(session, vault, "team", _secret("n", b"theirs"))
    data = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "k"}
    object_store_secrets.create(
        session, vault, "team", object_store_secrets.NewSecret("default", StoreType.S3, data, {})
    )
    resource_groups.remove(session, "team")
    session.expunge_all()
    _add_group(session, "team")
    assert generic_secrets.count(session, "team") == 0
    assert object_store_secrets.count(session, "team") == 0
    with pytest.raises(InvalidRequest, match="'gone'"):
        generic_secrets.create(session, vault, "gone", _secret("n", b""))
