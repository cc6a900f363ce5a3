"""Files out of a container: a tar stream whose maker may mean no good becomes files below one folder.

No link is ever made, so none can be followed: what a link leads to inside of the stream is copied, others are left out.
"""

import os
import posixpath
import shutil
import tarfile
from pathlib import Path
from typing import IO

from mooring.runtimes.room import require_room

_MOST_MEMBERS = 1_000_000
_MOST_LINKS = 40
_DEEPEST = 64
_PIECE_BYTES = 1 << 20
_BROKEN = (tarfile.TarError, EOFError, ValueError, OverflowError)


def unpack(stream: IO[bytes], target: Path, *, most_bytes: int) -> bool:
    """The one root entry of the stream becomes `target`; False when there is none. Raises OSError.

    Nothing is left behind by a failure.
    """
    scratch = target.with_name(f"{target.name}.unpacked")
    scratch.mkdir(mode=0o700)
    try:
        unpacking = _Unpacking(scratch, most_bytes)
        try:
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    unpacking.take(archive, member)
        except _BROKEN as error:
            raise OSError(f"what the engine gave of {target.name} is broken: {error}") from error
        unpacking.make_copies_of_links()
        roots = list(scratch.iterdir())
        if len(roots) != 1:
            return False
        roots[0].rename(target)
        return True
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


class _Unpacking:
    def __init__(self, root: Path, most_bytes: int) -> None:
        self._root = root
        self._left = most_bytes
        self._members = 0
        self._links: dict[str, str] = {}

    def take(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        self._members += 1
        if self._members > _MOST_MEMBERS:
            raise OSError(f"it holds more than {_MOST_MEMBERS} files: pack them into one")
        name = _checked(member.name)
        if name is None:
            return
        path = self._root / name
        if member.isdir():
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        elif member.isfile():
            self._count(member.size)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(archive, member, path)
        elif member.issym():
            self._links[name] = posixpath.join(posixpath.dirname(name), member.linkname)
        elif member.islnk():
            self._links[name] = member.linkname
        else:
            raise OSError(f"{name} is neither a file nor a folder and cannot be stored: write a file instead")

    def make_copies_of_links(self) -> None:
        """Now that everything else is there."""
        for name in sorted(self._links):
            source = self._led(name)
            path = self._root / name
            if source is None or os.path.lexists(path) or not source.is_file():
                continue
            self._count(source.stat().st_size)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(source, path, follow_symlinks=False)

    def _led(self, name: str) -> Path | None:
        for _ in range(_MOST_LINKS):
            if name not in self._links:
                return self._root / name
            led = posixpath.normpath(self._links[name])
            if led.startswith(("/", "..")):
                return None
            name = led
        return None

    def _write(self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
        content = archive.extractfile(member)
        mode = 0o700 if member.mode & 0o100 else 0o600
        if content is None:
            raise OSError(f"{member.name} cannot be read")
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode), "wb") as file:
            shutil.copyfileobj(content, file, _PIECE_BYTES)

    def _count(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise OSError("what it has left is larger than what may be stored of one container")
        require_room(self._root, size)


def _checked(name: str) -> str | None:
    """A relative name of sound parts; None for the root itself. Raises OSError for one that leads out."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or len(parts) > _DEEPEST or "\0" in name:
        raise OSError(f"{name!r} is no name that can be stored")
    return "/".join(parts) or None
