"""A stand-in's folder as it lies in an image: what is in it cannot be changed, but there is room beside it.

So programs can write to their working directory, and data can be mounted below it, without a trace in the folder.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mooring.runtimes.base import Mount

_MOST_ENTRIES = 500
"""A fuller folder is mounted as it is: bubblewrap takes a few thousand words."""


@dataclass(frozen=True)
class Link:
    """A symbolic link to be made: it leads where it leads inside."""

    path: str
    to: str


@dataclass(frozen=True)
class Room:
    """What the folder has to leave room for: paths at which something else comes, and folders to write to."""

    taken: Collection[str]
    writable: Collection[str]

    def is_below(self, path: str) -> bool:
        """Whether some of it lies in this folder."""
        return any(PurePosixPath(each).is_relative_to(path) for each in (*self.taken, *self.writable))


def spread(folder: Path, path: str, room: Room, hidden: Collection[Path]) -> Iterator[Mount | Link]:
    """Shows `folder` as `path`, read-only, piece by piece as far as room is needed. `hidden` folders are left out.

    Raises OSError.
    """
    entries = sorted(folder.iterdir())
    if len(entries) > _MOST_ENTRIES:
        yield Mount(folder, path)
        return
    for entry in entries:
        target = f"{path.rstrip('/')}/{entry.name}"
        if target in room.taken:
            continue
        if entry.is_symlink():  # not followed here: it could lead to anything of this machine's
            if not room.is_below(target):  # nor may anything be made or mounted behind it
                yield Link(target, str(entry.readlink()))
        elif entry.is_dir() and room.is_below(target):
            yield from spread(entry, target, room, hidden)
        elif (entry.is_dir() or entry.is_file()) and entry.resolve() not in hidden:
            yield Mount(entry, target)
