"""What lies at a key of an object store, as files and folders."""

from collections.abc import Iterable
from dataclasses import dataclass

from mooring.artifacts.errors import UnsafeContent
from mooring.artifacts.names import checked_name

EMPTY_FOLDER = ".mooring-empty-folder"
"""Stores have no folders: an object of this name and no bytes says that there is one, though nothing is in it."""


@dataclass(frozen=True)
class TransferLimits:
    """What one transfer may bring or take: objects, and bytes of all together."""

    objects: int = 100_000
    bytes: int = 1 << 40


@dataclass(frozen=True)
class StoredObject:
    """`size` in bytes; `etag` changes with the content, "" where the store has none."""

    key: str
    size: int
    etag: str


@dataclass(frozen=True)
class Listing:
    """`files` by relative name ("" alone: the object at exactly the key); `folders` that are to be there, too."""

    files: dict[str, StoredObject]
    folders: frozenset[str]


def one(found: StoredObject) -> Listing:
    """The object at exactly the key."""
    return Listing({"": found}, frozenset())


def arranged(key: str, found: Iterable[StoredObject], limits: TransferLimits, where: str) -> Listing:
    """What lies below the key. Raises UnsafeContent for names that cannot be files of one folder, or too many."""
    files: dict[str, StoredObject] = {}
    folders: set[str] = set()
    count = size = 0
    for each in found:
        count, size = count + 1, size + each.size
        if count > limits.objects or size > limits.bytes:
            raise UnsafeContent(f"{where} has more than {limits.objects} objects or {limits.bytes} bytes below {key!r}")
        if each.key == key:
            folders.add("")
            continue
        name = _relative(key, each.key, where)
        parent, _, last = name.rpartition("/")
        if last == EMPTY_FOLDER and not each.size:
            folders.add(parent)
        elif name in files:
            raise UnsafeContent(f"{where} lists {each.key!r} twice: nothing was kept")
        else:
            files[name] = each
    return _without_folders_as_files(files, folders, where)


def parents_of(name: str) -> list[str]:
    """`a` and `a/b` of `a/b/c`."""
    parts = name.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def _relative(key: str, found: str, where: str) -> str:
    if key and not found.startswith(f"{key}/"):
        raise UnsafeContent(f"{where} lists {found[:200]!r} when asked for {key!r}: nothing was kept")
    return checked_name(found.removeprefix(f"{key}/") if key else found, where)


def _without_folders_as_files(files: dict[str, StoredObject], folders: set[str], where: str) -> Listing:
    """Other tools mark folders by empty objects with a slash at the end (which the client cuts off)."""
    for parent in {parent for name in (*files, *folders) for parent in parents_of(name)} | folders:
        marker = files.pop(parent, None)
        if marker is None:
            continue
        if marker.size:
            raise UnsafeContent(f"{where} has {marker.key!r} and also objects below it: a file is no folder")
        folders.add(parent)
    return Listing(files, frozenset(folders))
