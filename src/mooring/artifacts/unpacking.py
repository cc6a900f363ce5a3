"""Members of a tar archive become files below one folder. Whoever packed it may mean no good.

The filters of Python's tarfile have been got round more than once (CVE-2025-4517, 4330, 4138), so only its reading of
headers is used. Files are made by walking from folder to folder, never through a link; there are no links at all until
everything else is there.
"""

import errno
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mooring.artifacts.deadline import Deadline
from mooring.artifacts.errors import UnsafeContent
from mooring.artifacts.names import checked_name
from mooring.artifacts.object_stores import folders

_PIECE_BYTES = 1 << 20
_LARGEST_HEADER_BYTES = 1 << 20
_HARMLESS_BYTES = 64 << 20
"""Up to here the ratio does not matter."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_IN_THE_WAY = frozenset({errno.ENOTDIR, errno.ELOOP, errno.EEXIST, errno.EISDIR, errno.ENOENT, errno.EPERM})
_FOLDER_MODE = 0o755
_WHERE = "the archive"


@dataclass(frozen=True)
class ArchiveLimits:
    """How many members, how many bytes unpacked, and how many of those for one packed byte."""

    members: int = 100_000
    bytes: int = 1 << 40
    ratio: int = 200


class ForwardReader:
    """The unpacked bytes as tarfile reads them: only forward, counted, and never many at once."""

    def __init__(self, unpacked: IO[bytes], packed_bytes: int, limits: ArchiveLimits, deadline: Deadline) -> None:
        self._unpacked = unpacked
        self._most = min(limits.bytes, max(_HARMLESS_BYTES, packed_bytes * limits.ratio))
        self._deadline = deadline
        self._at = 0

    def tell(self) -> int:
        return self._at

    def seek(self, to: int) -> int:
        """Raises UnsafeContent when it would lead back: then a header has lied."""
        if to < self._at:
            raise UnsafeContent(f"{_WHERE} has headers that overlap: nothing was kept")
        while self._at < to and self.read(min(to - self._at, _PIECE_BYTES)):
            continue
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Raises UnsafeContent beyond the limits."""
        if not 0 <= size <= _LARGEST_HEADER_BYTES:
            raise UnsafeContent(f"{_WHERE} has a header of {size} bytes: nothing was kept")
        self._deadline.left()
        found = self._unpacked.read(size)
        self._at += len(found)
        if self._at > self._most:
            raise UnsafeContent(f"{_WHERE} has more than {self._most} bytes when it is unpacked: nothing was kept")
        return found

    def drain(self) -> None:
        """To the end."""
        while self.read(_PIECE_BYTES):
            continue


class Unpacking:
    """One archive into one folder."""

    def __init__(self, folder: int, limits: ArchiveLimits) -> None:
        """`folder` is a descriptor."""
        self._descriptor = folder
        self._limits = limits
        self._count = 0
        self._links: dict[str, str] = {}

    def take(self, member: tarfile.TarInfo, reader: ForwardReader) -> None:
        """The member that the reader is at the content of. Raises UnsafeContent, OSError."""
        self._count += 1
        if self._count > self._limits.members:
            raise UnsafeContent(f"{_WHERE} has more than {self._limits.members} members: nothing was kept")
        name = _relative(member.name)
        if not name:
            return  # the folder itself
        if member.issym():
            self._links[name] = member.linkname
        else:
            self._make(member, name, reader)

    def make_links(self) -> None:
        """The symbolic ones, when all the rest is there. Raises UnsafeContent, OSError."""
        for name, leads_to in self._links.items():
            with self._parent(name) as (parent, last):
                os.symlink(leads_to, last, dir_fd=parent)

    def check_links(self, content: Path, stripped: int) -> None:
        """That they lead to something in the content, which lies so many names deeper. Raises UnsafeContent."""
        for name, leads_to in self._links.items():
            below = name.split("/")[stripped:]
            upwards = leads_to.split("/")
            depth = next((count for count, part in enumerate(upwards) if part != ".."), len(upwards))
            # Upwards only at its beginning, from real folders: so no way over other links leads out.
            plain = not leads_to.startswith("/") and ".." not in upwards[depth:]
            if not below or not plain or depth >= len(below) or not _exists(content, below):
                raise UnsafeContent(f"{_WHERE} has a link {name!r} that leads out of it, or nowhere: nothing was kept")

    def _make(self, member: tarfile.TarInfo, name: str, reader: ForwardReader) -> None:
        if member.isdir():
            with self._parent(f"{name}/."):
                return
        if member.islnk():
            self._make_hard_link(name, _relative(member.linkname))
        elif member.isreg() and not member.issparse():
            with self._parent(name) as (parent, last):
                self._write(parent, last, member, reader)
        else:
            raise UnsafeContent(f"{_WHERE} has {name!r}, which is neither a file, a folder nor a link to one in it")

    def _make_hard_link(self, name: str, earlier: str) -> None:
        with self._parent(earlier) as (other, existing), self._parent(name) as (parent, last):
            os.link(existing, last, src_dir_fd=other, dst_dir_fd=parent, follow_symlinks=False)

    def _write(self, parent: int, name: str, member: tarfile.TarInfo, reader: ForwardReader) -> None:
        # What is more than to run it (setuid, say) is not taken over, nor are owners and times.
        mode = 0o755 if member.mode & 0o100 else 0o644
        descriptor = os.open(name, _NEW, mode, dir_fd=parent)
        left = member.size
        with os.fdopen(descriptor, "wb") as file:
            while left and (piece := reader.read(min(left, _PIECE_BYTES))):
                file.write(piece)
                left -= len(piece)
        if left:
            raise EOFError("the archive ends in the middle of a file")

    @contextmanager
    def _parent(self, name: str) -> Iterator[tuple[int, str]]:
        """The folder of a member, made if need be, and its name there. What is in the way is UnsafeContent."""
        *parents, last = name.split("/")
        try:
            with folders.opened(self._descriptor, parents, create=True, mode=_FOLDER_MODE) as parent:
                yield parent, last
        except OSError as error:
            if error.errno in _IN_THE_WAY:
                raise UnsafeContent(f"{_WHERE} has {name!r} twice, or below a file or a link, or links to it") from None
            raise


def _exists(content: Path, below: list[str]) -> bool:
    try:
        content.joinpath(*below).resolve(strict=True)
    except (OSError, RuntimeError):  # a loop
        return False
    return True


def _relative(name: str) -> str:
    """Without the `./` that tar writes before everything when it is told to pack `.`; "" for that itself."""
    plain = name.rstrip("/") if name.strip("/") else name
    while plain.startswith("./"):
        plain = plain[2:]
    return "" if plain == "." else checked_name(plain, _WHERE)
