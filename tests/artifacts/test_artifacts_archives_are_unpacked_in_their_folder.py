"""tar.gz archives: those of Argo and ours come back as they were, hostile ones touch nothing outside and are named."""

import gzip
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mooring.artifacts.archives import is_packed, pack, unpack
from mooring.artifacts.contents import contents_of
from mooring.artifacts.deadline import Deadline
from mooring.artifacts.errors import ArtifactError, DamagedArchive, UnsafeContent, Unstorable
from mooring.artifacts.unpacking import ArchiveLimits

Entry = tuple[str, bytes | str | None] | tarfile.TarInfo
"""A file's content; where a link leads to; None for a folder; or anything else."""


def archived(path: Path, *entries: Entry) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry, io.BytesIO(bytes(min(entry.size, 1 << 20))) if entry.isreg() else None)
                continue
            name, content = entry
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.type = tarfile.DIRTYPE if content is None else tarfile.SYMTYPE
                info.linkname = content or ""
                archive.addfile(info)
    return path


def special(name: str, kind: bytes, linkname: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, linkname, mode
    return info


def unpacked(archive: Path, limits: ArchiveLimits | None = None, *, root_kept: bool = False) -> Path:
    target = archive.parent / "inner" / "target"
    target.parent.mkdir()
    unpack(archive, target, limits or ArchiveLimits(), Deadline.after(30, "it"), root_kept=root_kept)
    return target


def packed(source: Path, target: Path) -> Path:
    pack(contents_of(source, 1000), source.name, target, Deadline.after(30, "it"))
    return target


HOSTILE: dict[str, list[Entry]] = {
    "up": [("../evil", b"x")],
    "up later": [("a/../../evil", b"x")],
    "absolute": [("/tmp/evil", b"x")],
    "dots": [("a/./b", b"x")],
    "backslash": [("..\\evil", b"x")],
    "drive": [("C:\\evil", b"x")],
    "empty part": [("a//b", b"x")],
    "control": [("a\nb", b"x")],
    "long": [("x" * 300, b"x")],
    "deep": [("a/" * 100 + "b", b"x")],
    "link out": [("a", b"x"), ("link", "../evil")],
    "link far out": [("a", b"x"), ("d/link", "../../evil")],
    "absolute link": [("a", b"x"), ("link", "/etc/passwd")],
    "link then write": [("link", ".."), ("link/evil", b"x")],
    "write then link": [("link/evil", b"x"), ("link", "..")],
    "link through link": [("d", None), ("d/e", None), ("l", "d/e"), ("m", "l/../../../evil")],
    "link back in by the folder's name": [("a/b/c", b"x"), ("d", "a/b"), ("l", "a/../../target/a")],
    "loop": [("a", b"x"), ("l", "m"), ("m", "l")],
    "itself": [("a", b"x"), ("l", "l")],
    "nowhere": [("a", b"x"), ("l", "b")],
    "only a link": [("l", "evil")],
    "twice": [("a", b"x"), ("a", b"y")],
    "file and folder": [("a", b"x"), ("a/b", b"y")],
    "folder over file": [("a", b"x"), ("a", None)],
    "hard link out": [("a", b"x"), special("h", tarfile.LNKTYPE, "../evil")],
    "absolute hard link": [("a", b"x"), special("h", tarfile.LNKTYPE, "/etc/passwd")],
    "hard link to a link": [("a", b"x"), ("l", "a"), special("h", tarfile.LNKTYPE, "l")],
    "hard link to nothing": [special("h", tarfile.LNKTYPE, "a")],
    "hard link to a folder": [("d", None), special("h", tarfile.LNKTYPE, "d")],
    "device": [special("dev", tarfile.CHRTYPE)],
    "block device": [special("dev", tarfile.BLKTYPE)],
    "pipe": [special("pipe", tarfile.FIFOTYPE)],
    "sparse": [special("sparse", tarfile.GNUTYPE_SPARSE)],
}


@pytest.mark.parametrize("entries", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_leads_elsewhere_is_refused_and_nothing_outside_is_touched(tmp_path: Path, entries: list[Entry]) -> None:
    archive = archived(tmp_path / "hostile.tar.gz", *entries)
    before = set(tmp_path.rglob("*")) | {tmp_path / "inner"}

    with pytest.raises(ArtifactError) as refusal:
        unpacked(archive)
    assert isinstance(refusal.value, UnsafeContent | DamagedArchive)
    outside = {path for path in tmp_path.rglob("*") if "target" not in str(path.relative_to(tmp_path))}
    assert outside == before
    assert not Path("/tmp/evil").exists()


@pytest.mark.parametrize(
    ("limits", "entries"),
    [
        (ArchiveLimits(members=3), [(f"f{count}", b"x") for count in range(4)]),
        (ArchiveLimits(bytes=100_000), [("f", bytes(200_000))]),
        (ArchiveLimits(), [("f", bytes(70 << 20))]),
    ],
    ids=["members", "bytes", "ratio"],
)
def test_bombs_are_refused(tmp_path: Path, limits: ArchiveLimits, entries: list[Entry]) -> None:
    with pytest.raises(UnsafeContent, match="more than"):
        unpacked(archived(tmp_path / "bomb.tar.gz", *entries), limits)


def test_a_header_that_claims_gigabytes_is_not_read_into_memory(tmp_path: Path) -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 4 << 30
    (tmp_path / "bomb.tar.gz").write_bytes(gzip.compress(info.tobuf() + bytes(2 << 20)))

    with pytest.raises(UnsafeContent, match="header of"):
        unpacked(tmp_path / "bomb.tar.gz")


@pytest.mark.parametrize("size", ["-1", "-512", "99999999999999999999"])
def test_a_size_that_is_none_ends_in_an_error(tmp_path: Path, size: str) -> None:
    info = tarfile.TarInfo("f")
    info.pax_headers = {"size": size}
    content = info.create_pax_header(info.get_info(), "utf-8") + bytes(4096)
    (tmp_path / "odd.tar.gz").write_bytes(gzip.compress(content))

    with pytest.raises(ArtifactError):
        unpacked(tmp_path / "odd.tar.gz")


@pytest.mark.parametrize(
    "damage", [lambda all: all[:-20], lambda all: all[: len(all) // 2], lambda all: all[:-8] + bytes(8)]
)
def test_a_damaged_archive_is_named(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    archive = archived(tmp_path / "a.tar.gz", ("weights", os.urandom(300_000)), ("more", b"x"))
    archive.write_bytes(damage(archive.read_bytes()))

    with pytest.raises(DamagedArchive, match="store it again"):
        unpacked(archive)


def test_others_can_read_what_was_unpacked(tmp_path: Path) -> None:
    """A container runs as somebody else."""
    target = unpacked(archived(tmp_path / "a.tgz", ("model/deep/weights", b"x")))

    for path in (target, target / "deep", target / "deep/weights"):
        assert path.stat().st_mode & 0o044 == 0o044


def test_setuid_owners_and_odd_modes_are_not_taken_over(tmp_path: Path) -> None:
    target = unpacked(archived(tmp_path / "a.tar.gz", special("suid", tarfile.REGTYPE, mode=0o6777), ("b", b"x")))

    assert oct((target / "suid").stat().st_mode) == oct(0o100755)
    assert (target / "suid").stat().st_uid == os.geteuid()
    assert oct((target / "b").stat().st_mode) == oct(0o100644)


def test_links_within_an_archive_are_links_again(tmp_path: Path) -> None:
    entries: list[Entry] = [
        ("model/blobs/1", b"weights"),
        ("model/snapshots/a/weights.bin", "../../blobs/1"),
        ("model/latest", "snapshots/a"),
        special("model/hard", tarfile.LNKTYPE, "model/blobs/1"),
    ]
    target = unpacked(archived(tmp_path / "a.tar.gz", *entries))

    assert (target / "latest/weights.bin").read_bytes() == b"weights"
    assert (target / "hard").read_bytes() == b"weights"


ARGOS: dict[str, tuple[list[Entry], dict[str, bytes] | bytes]] = {
    "folder": ([("model", None), ("model/a", b"1"), ("model/b/c", b"2")], {"a": b"1", "b/c": b"2"}),
    "file": ([("model.pkl", b"1")], b"1"),
    "here": ([("./", None), ("./a", b"1"), ("./b", b"2")], {"a": b"1", "b": b"2"}),
    "several": ([("a", b"1"), ("b", b"2")], {"a": b"1", "b": b"2"}),
    "literal": ([("%2e%2e%2fliteral", b"1"), ("b", b"2")], {"%2e%2e%2fliteral": b"1", "b": b"2"}),
    "nothing": ([], {}),
}


@pytest.mark.parametrize(("entries", "expected"), ARGOS.values(), ids=ARGOS.keys())
def test_what_argo_packs_becomes_what_was_packed(
    tmp_path: Path, entries: list[Entry], expected: dict[str, bytes] | bytes
) -> None:
    target = unpacked(archived(tmp_path / "a.tgz", *entries))
    assert (_files(target) if target.is_dir() else target.read_bytes()) == expected


def test_the_root_is_kept_when_asked(tmp_path: Path) -> None:
    target = unpacked(archived(tmp_path / "a.tgz", ("model/a", b"1")), root_kept=True)

    assert _files(target) == {"model/a": b"1"}


def test_packing_is_the_same_for_the_same_content(tmp_path: Path) -> None:
    archives = []
    for where in ("one", "two"):
        folder = tmp_path / where / "model"
        (folder / "hollow").mkdir(parents=True)
        names = ["b", "a", "c"] if where == "one" else ["c", "a", "b"]
        for name in names:
            (folder / name).write_text(name)
        (folder / "run.sh").write_text("#!/bin/sh")
        (folder / "run.sh").chmod(0o700)
        archives.append(packed(folder, tmp_path / where / "a.tgz").read_bytes())

    assert archives[0] == archives[1]
    target = unpacked(tmp_path / "one/a.tgz")
    assert (target / "run.sh").stat().st_mode & 0o111
    assert (target / "hollow").is_dir()


def test_what_gets_smaller_is_made_smaller_and_the_rest_is_not_tried(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"a,b\n" * 500_000)
    (tmp_path / "weights").write_bytes(os.urandom(2_000_000))

    sizes = {name: packed(tmp_path / name, tmp_path / f"{name}.tgz").stat().st_size for name in ("text", "weights")}

    assert sizes["text"] < 100_000
    assert 2_000_000 < sizes["weights"] < 2_020_000


def test_an_archive_is_known_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "plain.tar.gz").write_bytes(b"not one")
    (tmp_path / "empty.tar.gz").write_bytes(b"")
    (tmp_path / "data.csv.gz").write_bytes(gzip.compress(b"a,b\n" * 1000))
    (tmp_path / "short").write_bytes(b"\x1f\x8b\x08")

    assert is_packed(archived(tmp_path / "weights", ("a", b"x")))
    for name in ("plain.tar.gz", "empty.tar.gz", "data.csv.gz", "short"):
        assert not is_packed(tmp_path / name), name


ODD_NAMES = {"backslash": "a\\b", "bytes": os.fsdecode(b"\xff\xfe")}
ODD_LINKS = {
    "link out": "../../secret",
    "folder out": "../..",
    "nowhere": "nothing",
    "loop": "odd",
    "its own folder": ".",
}


def _odd_source(tmp_path: Path, kind: str) -> Path:
    folder = tmp_path / "output"
    (folder / "deep").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"another group's")
    odd = folder / "deep" / "odd"
    if kind == "pipe":
        os.mkfifo(odd)
    elif kind in ODD_NAMES:
        (folder / ODD_NAMES[kind]).write_bytes(b"x")
    else:
        odd.symlink_to(tmp_path / "secret" if kind == "absolute link out" else ODD_LINKS[kind])
    return folder


@pytest.mark.parametrize("kind", ["pipe", "absolute link out", *ODD_NAMES, *ODD_LINKS])
def test_what_cannot_be_stored_is_named_before_anything_is(tmp_path: Path, kind: str) -> None:
    with pytest.raises(Unstorable):
        contents_of(_odd_source(tmp_path, kind), 1000)


def test_an_output_that_is_itself_a_link_is_not_stored(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "output").symlink_to("keys")
    with pytest.raises(Unstorable, match="is a link"):
        contents_of(tmp_path / "output", 1000)


def test_links_inside_are_stored_as_what_they_lead_to(tmp_path: Path) -> None:
    folder = tmp_path / "output"
    (folder / "run1").mkdir(parents=True)
    (folder / "run1/weights").write_bytes(b"x")
    (folder / "latest").symlink_to("run1")
    (folder / "best").symlink_to("run1/weights")

    target = unpacked(packed(folder, tmp_path / "a.tgz"))

    assert _files(target) == {"run1/weights": b"x", "latest/weights": b"x", "best": b"x"}


def test_more_files_than_allowed_are_named(tmp_path: Path) -> None:
    for count in range(4):
        (tmp_path / str(count)).write_bytes(b"")
    with pytest.raises(Unstorable, match="more than 3 files"):
        contents_of(tmp_path, 3)


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
