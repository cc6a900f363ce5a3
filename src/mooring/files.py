"""Files that are complete or absent."""

import contextlib
import os
import tempfile
import uuid
from pathlib import Path


def write_atomically(path: Path, content: bytes, *, mode: int = 0o600, durable: bool = False) -> None:
    """Write beside the target, then rename over it; with `durable`, also survive a power cut.

    Raises OSError (a full disk, say); the old content is then still there and nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        Path(temporary).rename(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    if durable:
        _sync_directory(path.parent)


def remove_tree(folder: Path) -> None:
    """Remove a folder to which somebody else's program could write, when nobody does any more. Raises OSError.

    However deep it is (what lies deep is moved up before it is removed), and also what its owner may not change.
    """
    todo = [folder]
    while todo:
        current = todo.pop()
        current.chmod(0o700)
        with os.scandir(current) as entries:
            found = list(entries)
        for entry in found:
            if not entry.is_dir(follow_symlinks=False):
                Path(entry).unlink()
            elif current == folder:
                todo.append(Path(entry))
            else:
                Path(entry).chmod(0o700)  # moving it writes into it
                todo.append(Path(entry).rename(folder / f".{uuid.uuid4().hex}"))
        if current != folder:
            current.rmdir()
    folder.rmdir()


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
