"""The installation's own object store: whatever lies in a group's folder, nothing outside is reached."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mooring.artifacts.object_stores.stores import ObjectStores
from mooring.domain.object_stores import StoreAccess, StoreType
from mooring.errors import Conflict, InvalidRequest, NotFound, Unavailable
from mooring.services.datasets import FileStore


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


@pytest.fixture
def files(root: Path) -> FileStore:
    return ObjectStores(root).files("team", None)


def _put(files: FileStore, key: str, content: bytes = b"x", *, overwrite: bool = False) -> None:
    with files.upload(key, overwrite=overwrite) as upload:
        upload.write(content)
        upload.publish()


def _get(files: FileStore, key: str) -> bytes:
    content = files.read(key)
    try:
        return b"".join(content.pieces())
    finally:
        content.close()


def test_links_are_neither_followed_nor_written_through(files: FileStore, root: Path, tmp_path: Path) -> None:
    _put(files, "own")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("theirs")
    (root / "team" / "folder").symlink_to(outside)
    (root / "team" / "file").symlink_to(outside / "secret")
    for key in ("folder/secret", "file"):
        with pytest.raises(NotFound):
            files.read(key)
        with pytest.raises(NotFound):
            files.remove(key)
        with pytest.raises(Conflict):
            _put(files, key)
    with pytest.raises(Conflict):
        _put(files, "folder/new", overwrite=True)
    _put(files, "file", b"ours", overwrite=True)  # replaces the link itself
    assert (outside / "secret").read_text() == "theirs"
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert _get(files, "file") == b"ours"


def test_a_group_whose_folder_is_a_link_has_no_files(files: FileStore, root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("theirs")
    (root / "team").symlink_to(tmp_path)
    with pytest.raises(NotFound):
        files.read("secret")


def test_what_is_no_file_is_not_opened(files: FileStore, root: Path) -> None:
    _put(files, "own")
    os.mkfifo(root / "team" / "pipe")
    (root / "team" / "folder").mkdir()
    for key in ("pipe", "folder", "own/below", "missing", "missing/below"):
        with pytest.raises(NotFound):
            files.read(key)
        with pytest.raises(NotFound):
            files.remove(key)


def test_an_upload_that_is_not_published_was_never_there(files: FileStore, root: Path) -> None:
    with files.upload("a/b", overwrite=False) as upload:
        upload.write(b"half")
        with pytest.raises(NotFound):
            files.read("a/b")
    assert [path for path in root.rglob("*") if path.is_file()] == []
    assert not (root / "team" / "a").exists()


def test_files_are_readable_by_their_owner_only(files: FileStore, root: Path) -> None:
    _put(files, "a/b")
    modes = [path.stat().st_mode & 0o077 for path in (root / "team" / "a" / "b", root / "team" / "a", root / "team")]
    assert modes == [0, 0, 0]


def test_removing_a_file_leaves_other_files_and_no_empty_folder(files: FileStore, root: Path) -> None:
    for key in ("a/b/c", "a/d"):
        _put(files, key)
    files.remove("a/b/c")
    assert [path.name for path in (root / "team" / "a").iterdir()] == ["d"]
    files.remove("a/d")
    assert list((root / "team").iterdir()) == []


def test_a_removed_group_loses_its_files_and_another_keeps_its(root: Path) -> None:
    stores = ObjectStores(root)
    for group in ("team", "other"):
        _put(stores.files(group, None), "a/b", group.encode())
    with pytest.raises(InvalidRequest), stores.forgetting("team"):
        raise InvalidRequest("it has deployments")
    assert _get(stores.files("team", None), "a/b") == b"team"
    with stores.forgetting("team"):
        pass
    with pytest.raises(NotFound):
        stores.files("team", None).read("a/b")
    assert _get(stores.files("other", None), "a/b") == b"other"
    stores.clean(["other"])
    assert sorted(path.name for path in root.iterdir() if any(path.iterdir())) == ["other"]


def test_a_removal_that_was_interrupted_is_finished_by_the_next_start(root: Path) -> None:
    stores = ObjectStores(root)
    for group in ("gone", "stayed", "unknown"):
        _put(stores.files(group, None), "a")
    for group in ("gone", "stayed"):
        with pytest.raises(SystemExit), stores.forgetting(group):
            raise SystemExit  # the machine stops here
    upload = stores.files("stayed", None).upload("half", overwrite=False)
    upload.__enter__().write(b"half")
    ObjectStores(root).clean(["stayed"])
    left = sorted(path.name for path in root.iterdir() if any(path.iterdir()))
    assert left == ["stayed", "unknown"]  # what nobody has asked to remove is not removed
    ObjectStores(root).clean([])
    assert (root / "stayed" / "a").exists()


@pytest.fixture
def small_disk(root: Path) -> Iterator[Path]:
    """The store lies on a disk of 1 MiB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system to fill it")
    command = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(root)]
    mounted = subprocess.run(command, capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield root
    finally:
        subprocess.run(["umount", "--lazy", str(root)], check=True)


def test_a_full_disk_is_told_and_nothing_is_left(small_disk: Path, files: FileStore) -> None:
    _put(files, "small", b"x" * 1000)
    with pytest.raises(Unavailable, match="full"):
        _put(files, "large", bytes(2 * 1024 * 1024))
    with pytest.raises(Unavailable, match="full"):
        _put(files, "small", bytes(2 * 1024 * 1024), overwrite=True)
    assert _get(files, "small") == b"x" * 1000
    assert [path.name for path in small_disk.rglob("*") if path.is_file()] == ["small"]
    _put(files, "other", bytes(500_000))


def test_other_types_are_refused_in_words(root: Path) -> None:
    access = StoreAccess(StoreType.WEBHDFS, {}, {"HDFS_NAMENODE": "opensesame"})
    with pytest.raises(InvalidRequest, match="webhdfs") as refusal:
        ObjectStores(root).files("team", access)
    assert "opensesame" not in str(refusal.value)
