"""What a file or folder holds that is to be stored. Whoever wrote it (a training's own code) may mean no good."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mooring.artifacts.errors import NotThere, Unstorable
from mooring.artifacts.names import trouble_with

_EXECUTABLE = 0o111


@dataclass
class Source:
    """`files` by relative name ("" alone: the source is a file); `root` is where links may lead, without links itself.

    `empty_folders` by relative name ("" for the source itself).
    """

    root: Path
    files: dict[str, Path] = field(default_factory=dict)
    empty_folders: list[str] = field(default_factory=list)

    @property
    def is_file(self) -> bool:
        return "" in self.files


def contents_of(path: Path, most: int) -> Source:
    """All there is, links to files and folders inside followed. Raises NotThere, Unstorable, OSError.

    The path itself may be no link, and the caller answers for the folders on the way to it.
    """
    if path.is_symlink():
        raise Unstorable(f"{path.name!r} is a link: nothing outside of an output is stored, write the output itself")
    try:
        root = path.resolve(strict=True)
    except FileNotFoundError:
        raise NotThere(f"there is nothing at {path}: the output was not written") from None
    source = Source(root)
    if root.is_dir():
        _collect(source, root, "", (root,), most)
    else:
        _add_file(source, root, "", most)
    return source


@contextmanager
def opened(path: Path, source: Source) -> Iterator[int]:
    """The descriptor of a file of the source. Raises Unstorable when it leads elsewhere by now, OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        real = Path(f"/proc/self/fd/{descriptor}").readlink()  # the kernel's word, however many links there were
        if not real.is_relative_to(source.root) or not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unstorable(f"{path} is no file of {source.root}: nothing outside of an output is stored")
        yield descriptor
    finally:
        os.close(descriptor)


def is_executable(descriptor: int) -> bool:
    return bool(os.fstat(descriptor).st_mode & _EXECUTABLE)


def _collect(source: Source, folder: Path, name: str, above: tuple[Path, ...], most: int) -> None:
    entries = sorted(folder.iterdir())
    if not entries:
        source.empty_folders.append(name)
    for entry in entries:
        below = f"{name}/{entry.name}" if name else entry.name
        if trouble := trouble_with(below):
            raise Unstorable(f"{below[:200]!r} cannot be stored: its name {trouble}. Rename it")
        real = _inside(source, entry, below)
        if not real.is_dir():
            _add_file(source, real, below, most)
            continue
        if real in above:
            raise Unstorable(f"{below!r} is a link to a folder that it lies in: remove it")
        _collect(source, real, below, (*above, real), most)


def _inside(source: Source, entry: Path, name: str) -> Path:
    if not entry.is_symlink():
        return entry
    try:
        real = entry.resolve(strict=True)
    except (OSError, RuntimeError):
        raise Unstorable(f"{name!r} is a link that leads nowhere: remove it") from None
    if not real.is_relative_to(source.root):
        raise Unstorable(f"{name!r} is a link that leads out of the output: store the file itself")
    return real


def _add_file(source: Source, path: Path, name: str, most: int) -> None:
    if not stat.S_ISREG(path.lstat().st_mode):
        raise Unstorable(
            f"{name or path.name!r} is neither a file nor a folder (a pipe, a socket, a device): remove it"
        )
    if len(source.files) >= most:
        raise Unstorable(f"{source.root} has more than {most} files: pack them, or store fewer")
    source.files[name] = path
