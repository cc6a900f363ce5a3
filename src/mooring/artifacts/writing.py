"""Files of a model on their way into the cache."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from mooring.artifacts.deadline import Deadline


def write_stream(target: Path, pieces: Iterable[bytes]) -> int:
    """Write the pieces as they come and sync; the number of bytes. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with target.open("wb") as file:
        for piece in pieces:
            written += file.write(piece)
        file.flush()
        # The rename that publishes must not overtake the bytes when the power fails.
        os.fsync(file.fileno())
    return written


def copy_folder(origin: Path, folder: Path, deadline: Deadline) -> None:
    """A copy, not links: the cache makes its files read-only, and the owner may go on changing his.

    Links are followed. Ends at the first OSError and raises it: `shutil.copytree` would go on after it, and forget
    its number, which tells a full disk from other troubles.
    """
    folder.mkdir(exist_ok=True)
    for entry in sorted(origin.iterdir()):
        deadline.left()
        target = folder / entry.name
        if entry.is_dir():
            copy_folder(entry, target, deadline)
        else:
            _copy_file(entry, target)


def _copy_file(origin: Path, target: Path) -> None:
    shutil.copyfile(origin, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def make_read_only(folder: Path) -> None:
    """No file in it can be written by accident (by a replica's model code, say)."""
    for path in folder.rglob("*"):
        if path.is_symlink():
            path.unlink()  # a link could lead out of the cache, and chmod would follow it
        elif path.is_file():
            path.chmod(0o444)
