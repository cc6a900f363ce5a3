"""Fetching what a job has left, as it saw it: links lead where they led inside, and never out."""

import os
import posixpath
import shutil
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mooring.runtimes.base import Mount
from mooring.runtimes.room import require_room

_MOST_ENTRIES = 100_000
"""A few hundred links between folders can show the same files over and over again."""
_MOST_LINKS = 40
_DEEPEST = 64


class Inside:
    """The files of a sandbox that has ended: `root`, with `mounts` in it (of those that are read-only, nothing).

    Nothing of it runs any more, so what was looked at a moment ago is still there.
    """

    def __init__(self, root: Path, mounts: Sequence[Mount]) -> None:
        self._root = root
        plain = [replace(mount, target=mount.target.rstrip("/")) for mount in mounts]
        self._mounts = sorted(plain, key=lambda mount: len(mount.target), reverse=True)
        self._copied = 0

    def copy(self, path: str, target: Path) -> bool:
        """Copy the file or folder to `target`; False when nothing lies there.

        Links are replaced by what they lead to inside; those that lead nowhere are left out. Raises OSError, also for
        what is neither file nor folder.
        """
        found = self._resolve(path)
        if found is None:
            return False
        try:
            self._copy(found, target, ())
        except BaseException:
            _remove(target)
            raise
        return True

    def _copy(self, path: str, target: Path, above: tuple[str, ...]) -> None:
        self._copied += 1
        if self._copied > _MOST_ENTRIES:
            raise OSError(f"there is more than {_MOST_ENTRIES} files and folders (links count each time): pack them")
        source = self._here(path)
        mode = source.lstat().st_mode
        if stat.S_ISREG(mode):
            _copy_file(source, target, mode)
        elif stat.S_ISDIR(mode):
            self._copy_folder(path, source, target, (*above, path))
        else:
            raise OSError(f"{path} is neither a file nor a folder and cannot be stored: write a file instead")

    def _copy_folder(self, path: str, source: Path, target: Path, above: tuple[str, ...]) -> None:
        if len(above) > _DEEPEST:
            raise OSError(f"{path} lies more than {_DEEPEST} folders deep and cannot be stored")
        target.mkdir(mode=0o700)
        names = {entry.name for entry in source.iterdir()} | self._mounted_in(path)
        for name in sorted(names):
            found = self._resolve(f"{path}/{name}")
            if found is not None and not any(_holds(found, each) for each in above):  # else it would hold itself
                self._copy(found, target / name, above)

    def _mounted_in(self, path: str) -> set[str]:
        return {posixpath.basename(each.target) for each in self._mounts if posixpath.dirname(each.target) == path}

    def _resolve(self, path: str) -> str | None:
        """The path without links, None when it leads nowhere."""
        done, todo, links = "/", [part for part in path.split("/") if part], 0
        while todo:
            part = todo.pop(0)
            if part == ".":
                continue
            if part == "..":
                done = posixpath.dirname(done)
                continue
            step = posixpath.join(done, part)
            if self._is_foreign(step):
                return None
            try:
                mode = self._here(step).lstat().st_mode
            except (FileNotFoundError, NotADirectoryError):
                return None
            if not stat.S_ISLNK(mode):
                done = step
                continue
            links += 1
            if links > _MOST_LINKS:
                return None
            led = str(self._here(step).readlink())
            done = "/" if led.startswith("/") else done
            todo = [part for part in led.split("/") if part] + todo
        return done

    def _is_foreign(self, path: str) -> bool:
        """Whether it was only shown to the job: what lies there is not what it has made."""
        mount = self._mount_of(path)
        return mount is not None and mount.read_only

    def _mount_of(self, path: str) -> Mount | None:
        return next((each for each in self._mounts if path == each.target or path.startswith(f"{each.target}/")), None)

    def _here(self, path: str) -> Path:
        """Where on this machine a path without links (but for its last part) lies."""
        mount = self._mount_of(path)
        if mount is None:
            return self._root / path.lstrip("/")
        return mount.source / path[len(mount.target) + 1 :] if path != mount.target else mount.source


def _holds(folder: str, path: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def _copy_file(source: Path, target: Path, mode: int) -> None:
    descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as reader, target.open("xb") as writer:  # noqa: PTH123 (of a descriptor)
        found = os.fstat(reader.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(f"{source.name} is no file any more")
        require_room(target.parent, found.st_size)
        shutil.copyfileobj(reader, writer, 1 << 20)
        os.fchmod(writer.fileno(), 0o700 if mode & 0o100 else 0o600)


def _remove(target: Path) -> None:
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target, ignore_errors=True)
    else:
        target.unlink(missing_ok=True)
