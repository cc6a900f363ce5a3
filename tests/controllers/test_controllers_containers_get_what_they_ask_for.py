"""A container gets the secrets that its template names, and nobody else sees them."""

import base64
import os
import stat
from pathlib import Path

import pytest

from mooring.controllers.containers import (
    OpenedSecrets,
    container_spec,
    image_request,
    open_secrets,
    registry_credentials,
)
from mooring.domain.containers import AllOfSecret, Container, PullPolicy, SecretKey, Variable, Volume
from mooring.errors import InvalidRequest, NotFound
from mooring.runtimes.base import ContainerSpec, Mount
from mooring.services import docker_registry_secrets, generic_secrets
from mooring.services.generic_secrets import ALL_GROUPS, TENANT, NewSecret
from mooring.store.database import Database
from mooring.store.tables import ResourceGroup
from mooring.store.vault import KEY_BYTES, Vault

VAULT = Vault(bytes(KEY_BYTES))
CANARY = "c4n4ry-in-the-mine"


def keep(database: Database, name: str, scope: str = "default", **values: bytes) -> None:
    data = {key.replace("_", "-"): base64.b64encode(value).decode() for key, value in values.items()}
    with database.transaction() as session:
        generic_secrets.create(session, VAULT, scope, NewSecret(name, data))


def container(**fields: object) -> Container:
    return Container(image="i", resource_plan="starter", **fields)  # type: ignore[arg-type]


def opened(database: Database, wanted: Container, group: str = "default") -> OpenedSecrets:
    with database.reading() as session:
        return open_secrets(session, VAULT, group, wanted)


def made(workspace: Path, wanted: Container, secrets: OpenedSecrets | None = None) -> ContainerSpec:
    return container_spec(wanted, secrets or OpenedSecrets(), image="image:x", workspace=workspace)


def test_variables_come_from_keys_and_from_whole_secrets(database: Database, tmp_path: Path) -> None:
    keep(database, "one", api_key=b"1", user=b"me")
    keep(database, "two", ALL_GROUPS, token=b"2")
    wanted = container(
        variables=(
            Variable("PLAIN", "p"),
            Variable("KEY", secret=SecretKey("one", "api-key")),
            Variable("A_user", "beats the secret"),
            Variable("NONE", secret=SecretKey("one", "nothing", optional=True)),
            Variable("NOBODY", secret=SecretKey("nobody", "nothing", optional=True)),
        ),
        from_secrets=(AllOfSecret("one", "A_"), AllOfSecret("two"), AllOfSecret("nobody", optional=True)),
    )
    spec = container_spec(
        wanted, opened(database, wanted), image="i", workspace=tmp_path, env={"PLAIN": "ours"}, network="default"
    )
    expected = {"KEY": "1", "A_api-key": "1", "A_user": "beats the secret", "token": "2", "PLAIN": "ours"}
    assert dict(spec.env) == expected


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        (container(variables=(Variable("K", secret=SecretKey("gone", "k")),)), "no secret 'gone'.*'default'"),
        (container(variables=(Variable("K", secret=SecretKey("one", "gone")),)), "'one' has no key 'gone'"),
        (container(from_secrets=(AllOfSecret("gone"),)), "no secret 'gone'"),
        (container(volumes=(Volume("/s", "v", secret="gone"),)), "no secret 'gone'"),
        (container(volumes=(Volume("/s", "v", secret="one", items=(("gone", "f"),)),)), "'one' has no key 'gone'"),
        (container(variables=(Variable("K", secret=SecretKey("tenants", "k")),)), "no secret 'tenants'"),
        (container(variables=(Variable("K", secret=SecretKey("theirs", "k")),)), "no secret 'theirs'"),
    ],
)
def test_what_is_missing_is_named(database: Database, wanted: Container, problem: str) -> None:
    with database.transaction() as session:
        session.add(ResourceGroup(id="other"))
    keep(database, "one", k=b"1")
    keep(database, "tenants", TENANT, k=b"1")
    keep(database, "theirs", "other", k=b"1")
    with pytest.raises(NotFound, match=problem):
        opened(database, wanted)


@pytest.mark.parametrize("value", [b"\xff" + CANARY.encode(), CANARY.encode() + b"\0"])
def test_a_value_that_is_no_text_cannot_be_a_variable(database: Database, value: bytes) -> None:
    keep(database, "one", k=value)
    with pytest.raises(InvalidRequest, match="'k' in the secret 'one' is no text") as caught:
        opened(database, container(variables=(Variable("K", secret=SecretKey("one", "k")),)))
    assert CANARY not in str(caught.value)


def test_a_value_that_is_too_long_cannot_be_a_variable(database: Database) -> None:
    keep(database, "one", k=CANARY.encode() * 20_000)
    with pytest.raises(InvalidRequest, match="'k' in the secret 'one' is longer than a variable can be") as caught:
        opened(database, container(variables=(Variable("K", secret=SecretKey("one", "k")),)))
    assert CANARY not in str(caught.value)


def test_values_are_in_no_words_of_ours(database: Database, tmp_path: Path) -> None:
    keep(database, "one", k=CANARY.encode())
    wanted = container(
        variables=(Variable("K", secret=SecretKey("one", "k")),), volumes=(Volume("/s", "v", secret="one"),)
    )
    secrets = opened(database, wanted)
    spec = made(tmp_path / "w", wanted, secrets)
    assert spec.env["K"] == CANARY
    assert CANARY not in repr(secrets) + repr(spec) + repr(wanted)


def test_a_secrets_files_can_be_read_inside_and_by_nobody_outside(database: Database, tmp_path: Path) -> None:
    keep(database, "one", a=b"1", b=b"\0\xff")
    wanted = container(
        volumes=(
            Volume("/all", "v", secret="one"),
            Volume("/some", "v", secret="one", items=(("a", "deep/er/name"),)),
            Volume("/file", "v", secret="one", sub_path="b"),
            Volume("/none", "w", secret="nobody", optional=True),
        )
    )
    old = os.umask(0o077)
    try:
        spec = made(tmp_path / "w", wanted, opened(database, wanted))
        assert made(tmp_path / "w", wanted, opened(database, wanted)).mounts == spec.mounts, "it may be repeated"
    finally:
        os.umask(old)
    by_target = {mount.target: mount.source for mount in spec.mounts}
    assert all(mount.read_only for mount in spec.mounts)
    assert (by_target["/all"] / "b").read_bytes() == b"\0\xff"
    assert [path.name for path in by_target["/some"].rglob("*")] == ["deep", "er", "name"]
    assert by_target["/file"].read_bytes() == b"\0\xff"
    assert list(by_target["/none"].iterdir()) == []
    assert _mode(by_target["/all"].parent) == 0o700
    assert _mode(by_target["/all"] / "a") == 0o444
    assert _mode(by_target["/some"] / "deep/er") == 0o755


@pytest.mark.parametrize("name", ["..", "a/../../b", "/etc/passwd", "", "a\\b", "a\nb", "."])
def test_no_name_leads_out_of_the_folder(database: Database, tmp_path: Path, name: str) -> None:
    keep(database, "one", k=b"1")
    with database.transaction() as session:
        generic_secrets.create(session, VAULT, "default", NewSecret("odd", {name: "MQ=="}))
    for volume in (
        Volume("/s", "v", secret="one", items=(("k", name),)),
        Volume("/s", "v", secret="odd"),
        Volume("/s", "v", secret="odd", items=((name, name),)),
    ):
        with pytest.raises(InvalidRequest, match="is no name of a file"):
            made(tmp_path / "w", container(volumes=(volume,)), opened(database, container(volumes=(volume,))))


def test_a_file_that_the_secret_does_not_have_is_named(database: Database, tmp_path: Path) -> None:
    keep(database, "one", k=b"1")
    wanted = container(volumes=(Volume("/s", "v", secret="one", sub_path="gone"),))
    with pytest.raises(NotFound, match="'one' has no 'gone'"):
        made(tmp_path / "w", wanted, opened(database, wanted))


def test_empty_folders_are_shared_by_name_and_writable(tmp_path: Path) -> None:
    wanted = container(
        volumes=(
            Volume("/a", "one"),
            Volume("/b", "one", read_only=True),
            Volume("/c", "two"),
            Volume("/d", "two", sub_path="deep/er"),
        )
    )
    a, b, c, d = made(tmp_path / "w", wanted).mounts
    assert (a.source, a.read_only, b.read_only) == (b.source, False, True)
    assert a.source != c.source
    assert d == Mount(c.source / "deep/er", "/d", read_only=False)
    assert [_mode(mount.source) for mount in (a, c, d)] == [0o777] * 3


def test_links_that_a_container_has_made_are_not_followed(tmp_path: Path) -> None:
    """It may be asked for again while the container runs already."""
    wanted = container(volumes=(Volume("/a", "one"), Volume("/b", "one", sub_path="x")))
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    inside = made(tmp_path / "w", wanted).mounts[1].source
    inside.rmdir()
    inside.symlink_to(outside)
    with pytest.raises(OSError, match="x"):
        made(tmp_path / "w", wanted)
    assert _mode(outside) == 0o700


def test_credentials_of_all_pull_secrets_and_nothing_else_of_them(database: Database) -> None:
    with database.transaction() as session:
        docker_registry_secrets.create(
            session,
            VAULT,
            "one",
            '{"auths": {"r.example": {"username": "u", "password": "PASS"}},'.replace("PASS", CANARY)
            + ' "credHelpers": {"r.example": "evil"}}',
        )
        docker_registry_secrets.create(
            session, VAULT, "two", '{"auths": {"r.example": {"auth": "dg=="}, "s.example": {"auth": "dw=="}}}'
        )
    wanted = container(pull_secrets=("one", "two"), pull_policy=PullPolicy.ALWAYS)
    with database.reading() as session:
        credentials = registry_credentials(session, VAULT, wanted)
        assert registry_credentials(session, VAULT, container()) == {}
        with pytest.raises(NotFound, match="'three'"):
            registry_credentials(session, VAULT, container(pull_secrets=("three",)))
    first = {"username": "u", "password": CANARY}
    assert credentials == {"auths": {"r.example": first, "s.example": {"auth": "dw=="}}}
    request = image_request(wanted, credentials)
    assert (request.image, request.pull_policy, request.credentials) == ("i", PullPolicy.ALWAYS, credentials)
    assert CANARY not in repr(request)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
