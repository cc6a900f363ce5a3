"""The installation's own object store: a folder per resource group in the home."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from mooring.artifacts.object_stores import folders
from mooring.artifacts.object_stores.waiting_file import WaitingFile, disk_troubles_told, waiting_file
from mooring.errors import Conflict, NotFound

_PIECE_BYTES = 256 * 1024
_IN_THE_WAY = frozenset({errno.ENOTDIR, errno.ELOOP, errno.EISDIR})


class LocalFiles:
    """The files of one group. `lock` is shared by all that use the same folder: names appear and go one at a time."""

    def __init__(self, root: Path, group: str, incoming: Path, lock: Lock) -> None:
        self._root = root
        self._group = group
        self._incoming = incoming
        self._lock = lock

    @contextmanager
    def upload(self, key: str, *, overwrite: bool) -> Iterator["LocalUpload"]:
        """Begin a file. What the group is removed with while it comes is not brought back by it."""
        with disk_troubles_told(), self._folder(create=True) as folder:
            if not overwrite:
                _refuse_existing(folder, key)
            with waiting_file(self._incoming) as file:
                yield LocalUpload(folder, key, file, self._lock, overwrite=overwrite)

    def read(self, key: str) -> "LocalContent":
        """Raises NotFound."""
        *parents, name = key.split("/")
        with _not_found(key), self._folder() as folder, folders.opened(folder, parents) as parent:
            return LocalContent(_open_file(parent, name, key))

    def remove(self, key: str) -> None:
        """Raises NotFound."""
        *parents, name = key.split("/")
        with self._lock, _not_found(key), self._folder() as folder:
            with folders.opened(folder, parents) as parent:
                _require_file(os.stat(name, dir_fd=parent, follow_symlinks=False), key)
                os.unlink(name, dir_fd=parent)
            folders.remove_empty(folder, parents)

    @contextmanager
    def _folder(self, *, create: bool = False) -> Iterator[int]:
        root = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with folders.opened(root, [self._group], create=create) as folder:
                yield folder
        finally:
            os.close(root)


class LocalUpload:
    """A file that is coming, for a key in the folder that its group has had at the beginning."""

    def __init__(self, folder: int, key: str, file: WaitingFile, lock: Lock, *, overwrite: bool) -> None:
        self._folder = folder
        self._key = key
        self._file = file
        self._lock = lock
        self._overwrite = overwrite

    def write(self, piece: bytes) -> None:
        """Raises Unavailable when the disk is full."""
        self._file.write(piece)

    def publish(self) -> None:
        """Raises Conflict; Unavailable when the disk is full; NotFound when the group was removed meanwhile."""
        self._file.complete()
        *parents, name = self._key.split("/")
        with self._lock, disk_troubles_told(), _conflict(self._key):
            try:
                with folders.opened(self._folder, parents, create=True) as parent:
                    self._place(parent, name)
                    os.fsync(parent)
            except FileNotFoundError:
                raise NotFound("the resource group was removed while the file came: nothing was kept") from None
            except OSError:
                folders.remove_empty(self._folder, parents)
                raise

    def _place(self, parent: int, name: str) -> None:
        if self._overwrite:
            os.replace(self._file.path, name, dst_dir_fd=parent)
        else:
            os.link(self._file.path, name, dst_dir_fd=parent, follow_symlinks=False)  # refuses what is there


class LocalContent:
    """An open file."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "rb", buffering=0)
        self.size = os.fstat(descriptor).st_size

    def pieces(self) -> Iterator[bytes]:
        while piece := self._file.read(_PIECE_BYTES):
            yield piece

    def close(self) -> None:
        self._file.close()


def _open_file(parent: int, name: str, key: str) -> int:
    # Without waiting: a pipe would be opened only when somebody writes to it.
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
    try:
        _require_file(os.fstat(descriptor), key)
    except NotFound:
        os.close(descriptor)
        raise
    return descriptor


def _require_file(found: os.stat_result, key: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise _missing(key)


def _refuse_existing(folder: int, key: str) -> None:
    """Before anything is received; what comes up meanwhile is refused when the file is published."""
    *parents, name = key.split("/")
    try:
        with _conflict(key), folders.opened(folder, parents) as parent:
            os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return
    raise _exists(key)


@contextmanager
def _not_found(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise _missing(key) from None
    except OSError as error:
        if error.errno in _IN_THE_WAY:
            raise _missing(key) from None
        raise


@contextmanager
def _conflict(key: str) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise _exists(key) from None
    except OSError as error:
        if error.errno in _IN_THE_WAY:
            raise Conflict(
                f"{key!r} cannot be a file: it is a folder, or a name before it is a file. Choose another"
            ) from None
        raise


def _exists(key: str) -> Conflict:
    return Conflict(f"there is something at {key!r} already: send ?overwrite=true to replace a file")


def _missing(key: str) -> NotFound:
    return NotFound(f"there is no file {key!r} in this object store")
