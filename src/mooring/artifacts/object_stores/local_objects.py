"""The objects of one group in the installation's own store, as transfers need them: files below the group's folder.

The same files as `local.LocalFiles` has. What is stored appears as a whole, also a folder.
"""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Lock

from mooring.artifacts.contents import Source, opened
from mooring.artifacts.copying import copy_between
from mooring.artifacts.deadline import Deadline
from mooring.artifacts.errors import ArtifactError, ChangedMeanwhile, NotThere, UnsafeContent, Unstorable
from mooring.artifacts.object_stores import folders
from mooring.artifacts.object_stores.listing import EMPTY_FOLDER, Listing, StoredObject, TransferLimits, arranged, one
from mooring.artifacts.object_stores.swapping import put_in_place
from mooring.artifacts.parallel import in_parallel

_IN_THE_WAY = frozenset({errno.ENOTDIR, errno.ELOOP})
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_CONTENT = "content"
_AT_ONCE = 8
"""A file system makes several files last at the cost of one."""


class LocalObjects:
    """Made for one transfer; `lock` is shared by all that use the same folder."""

    told = "the installation's own object store"

    def __init__(
        self, root: Path, group: str, incoming: Path, lock: Lock, limits: TransferLimits, deadline: Deadline
    ) -> None:
        self._root = root
        self._group = group
        self._incoming = incoming
        self._lock = lock
        self._limits = limits
        self._deadline = deadline

    def listing(self, key: str) -> Listing:
        """Raises NotThere, UnsafeContent, ChangedMeanwhile, OSError."""
        with self._there(key) as (parent, name, found):
            if stat.S_ISREG(found.st_mode):
                return one(_stored(key, found))
            with self._unchanged(key):
                listing = arranged(key, self._below(parent, name, key), self._limits, self.told)
        if not listing.files and not listing.folders:
            raise self._missing(key)
        return listing

    def exists(self, key: str) -> bool:
        """Raises ArtifactError, OSError."""
        try:
            with self._there(key) as (parent, name, found), self._unchanged(key):
                return stat.S_ISREG(found.st_mode) or any(self._below(parent, name, key))
        except NotThere:
            return False

    def fetch(self, targets: dict[Path, StoredObject]) -> None:
        """Raises ChangedMeanwhile when something is no longer as it was listed, OSError."""
        for path, found in targets.items():
            with self._opened(found) as source, path.open("wb") as target:
                copied = copy_between(source, target.fileno(), self._deadline)
                if copied != found.size or _stored(found.key, os.fstat(source)) != found:
                    raise self._changed(found.key)

    def replace(self, key: str, source: Source) -> None:
        """Complete or absent, and never absent when something was there. Raises Unstorable, ArtifactError, OSError."""
        *parents, name = key.split("/")
        with (
            self._group_folder(create=True) as group,
            self._staged(source) as staging,
            self._lock,
            self._placed(key, group),
            folders.opened(group, parents, create=True) as parent,
        ):
            put_in_place(staging, _CONTENT, parent, name)
            os.fsync(parent)

    def remove(self, key: str) -> None:
        """Out of sight at once; what is not there is removed already. Raises OSError."""
        *parents, name = key.split("/")
        self._incoming.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._incoming, ignore_cleanup_errors=True) as aside, self._lock:
            try:
                with self._group_folder() as group:
                    with folders.opened(group, parents) as parent:
                        os.rename(name, Path(aside) / _CONTENT, src_dir_fd=parent)
                    folders.remove_empty(group, parents)
            except FileNotFoundError:
                return
            except OSError as error:
                if error.errno not in _IN_THE_WAY:
                    raise

    @contextmanager
    def _staged(self, source: Source) -> Iterator[int]:
        """A folder, removed afterwards, with a copy of the source named `content`."""
        self._incoming.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._incoming, ignore_cleanup_errors=True) as staging:
            content = Path(staging) / _CONTENT
            if not source.is_file:
                content.mkdir(mode=0o700)
            copies = (partial(self._copy, path, content / name, source) for name, path in source.files.items())
            in_parallel(copies, _AT_ONCE, Event())
            for name in source.empty_folders:
                self._mark(content / name)
            descriptor = os.open(staging, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                yield descriptor
            finally:
                os.close(descriptor)

    def _copy(self, path: Path, target: Path, source: Source) -> None:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with opened(path, source) as origin:
            descriptor = os.open(target, _NEW, 0o600)
            try:
                copy_between(origin, descriptor, self._deadline)
                os.fsync(descriptor)  # the name must not overtake the bytes when the power fails
            finally:
                os.close(descriptor)

    def _mark(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / EMPTY_FOLDER).touch(0o600)

    def _below(self, parent: int, name: str, key: str) -> Iterator[StoredObject]:
        with folders.opened(parent, [name]) as folder:
            for each in sorted(os.listdir(folder)):  # noqa: PTH208 - a descriptor
                self._deadline.left()
                below = f"{key}/{each}" if key else each
                found = os.stat(each, dir_fd=folder, follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode):
                    yield from self._below(folder, each, below)
                elif stat.S_ISREG(found.st_mode):
                    yield _stored(below, found)
                else:
                    raise UnsafeContent(f"{below!r} in {self.told} is neither a file nor a folder: remove it there")

    @contextmanager
    def _there(self, key: str) -> Iterator[tuple[int, str, os.stat_result]]:
        """The folder of the key, its name there, and what it is. Raises NotThere when there is no such thing."""
        *parents, name = key.split("/") if key else ["."]
        with ExitStack() as stack:
            try:
                group = stack.enter_context(self._group_folder())
                parent = stack.enter_context(folders.opened(group, parents))
                found = os.stat(name, dir_fd=parent, follow_symlinks=False)
            except FileNotFoundError:
                raise self._missing(key) from None
            except OSError as error:
                if error.errno in _IN_THE_WAY:
                    raise self._missing(key) from None
                raise
            yield parent, name, found

    @contextmanager
    def _opened(self, found: StoredObject) -> Iterator[int]:
        try:
            with self._there(found.key) as (parent, name, _):
                descriptor = os.open(name, _OPEN, dir_fd=parent)
        except (NotThere, FileNotFoundError):
            raise self._changed(found.key) from None
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _unchanged(self, key: str) -> Iterator[None]:
        """Around a walk: what was replaced meanwhile is removed under our feet."""
        try:
            yield
        except (FileNotFoundError, NotADirectoryError):
            raise self._changed(key) from None

    @contextmanager
    def _placed(self, key: str, group: int) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise ArtifactError("the resource group was removed while it was stored to: nothing was kept") from None
        except OSError as error:
            folders.remove_empty(group, key.split("/")[:-1])
            if error.errno in _IN_THE_WAY:
                raise Unstorable(f"{key!r} cannot be stored: a name on its way is a file. Choose another") from None
            raise

    @contextmanager
    def _group_folder(self, *, create: bool = False) -> Iterator[int]:
        root = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with folders.opened(root, [self._group], create=create) as folder:
                yield folder
        finally:
            os.close(root)

    def _changed(self, key: str) -> ChangedMeanwhile:
        return ChangedMeanwhile(f"{key!r} in {self.told} was changed while it was read: try again")

    def _missing(self, key: str) -> NotThere:
        return NotThere(f"there is neither a file {key!r} nor a folder in {self.told}: check the artifact's url")


def _stored(key: str, found: os.stat_result) -> StoredObject:
    return StoredObject(key, found.st_size, f"{found.st_ino:x}-{found.st_mtime_ns:x}")
