"""Dataset files: the first part of a path names the object store, the rest is the file's key in it.

The store's name is that of an object store secret of the resource group. `default` without such a secret is the
installation's own store, in which every group has a folder of its own.
"""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from mooring.domain.object_stores import DEFAULT_STORE, StoreAccess
from mooring.errors import InvalidRequest, NotFound
from mooring.services import object_store_secrets, resource_groups
from mooring.store.vault import Vault

PATH_PATTERN = r"^(([A-Za-z0-9_.-]+):([A-Za-z0-9_.-]+)|([A-Za-z0-9_.-]+))(/([A-Za-z0-9_./-]*[A-Za-z0-9_.-])?)?$"
"""As the AI API has it, but for names of one letter, which it forgets."""
LONGEST_PATH = 1024
LARGEST_BYTES = 100 * 1024 * 1024
_LONGEST_PART = 255
_ODD_PARTS = re.compile(r"(^|/)(\.{0,2})(/|$)")


@dataclass(frozen=True)
class DatasetFile:
    """Which file: `key` is its path in the object store called `store`."""

    store: str
    key: str

    @property
    def url(self) -> str:
        return f"ai://{self.store}/{self.key}"

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]


class Upload(Protocol):
    """A file on its way: nothing of it can be seen before `publish`, and nothing is left of it without."""

    def write(self, piece: bytes) -> None:
        """Raises Unavailable when the disk is full."""

    def publish(self) -> None:
        """Now it is there, whole. Raises Conflict, Unavailable."""


class Content(Protocol):
    """A file to be read once; `close` it."""

    @property
    def size(self) -> int: ...

    def pieces(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class FileStore(Protocol):
    """The files of one resource group in one object store. Calls may take long: not for a transaction."""

    def upload(self, key: str, *, overwrite: bool) -> AbstractContextManager[Upload]:
        """Begin a file. Raises Conflict when there is one and it is not to be overwritten."""

    def read(self, key: str) -> Content:
        """Raises NotFound."""

    def remove(self, key: str) -> None:
        """Raises NotFound."""


class ObjectStores(Protocol):
    """All object stores that can be reached."""

    def files(self, group: str, access: StoreAccess | None) -> FileStore:
        """Those of a group; without access, in the installation's own store. Raises InvalidRequest."""

    def forgetting(self, group: str) -> AbstractContextManager[None]:
        """Around the removal of a group: its files in the installation's own store go after it. Raises OSError."""


def parse(path: str) -> DatasetFile:
    """Raises InvalidRequest for what names no file, or leads elsewhere."""
    store, _, key = path.partition("/")
    if not key:
        raise InvalidRequest("the path names no file: it has to be <object store secret>/<path of the file>")
    if _ODD_PARTS.search(key) or max(map(len, key.split("/"))) > _LONGEST_PART:
        raise InvalidRequest(
            f"the path has a part that is empty, '.', '..', or longer than {_LONGEST_PART} characters: "
            "give the file a plain path"
        )
    return DatasetFile(store, key)


def access(session: Session, vault: Vault, group: str, file: DatasetFile) -> StoreAccess | None:
    """How the file's store is reached; None is the installation's own.

    Raises NotFound when the group has no such object store secret; InvalidRequest when there is no such group.
    """
    resource_groups.require(session, group)
    secret = object_store_secrets.find(session, group, file.store)
    if secret is not None:
        return object_store_secrets.opened(vault, secret)
    if file.store == DEFAULT_STORE:
        return None
    raise NotFound(
        f"there is no object store secret {file.store[:80]!r} in the resource group {group!r}: "
        "the first part of a path has to name one, or default"
    )
