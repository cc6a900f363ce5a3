"""A place beside a target, in which it is made: the target is complete, or absent."""

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mooring.artifacts.errors import ArtifactError, NoRoom

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A path of no file yet, in a folder of our own; what is there at the end becomes the target. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=".transfer-"))
    try:
        content = folder / "content"
        yield content
        if target.exists() or target.is_symlink():
            raise ArtifactError(f"there is something at {target} already")
        content.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def disk_troubles_named(what: str) -> Iterator[None]:
    """Turns what a disk does not do into NoRoom and ArtifactError."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NoRoom(f"there is no room for {what}: {error.strerror}; free some, then try again") from error
        raise ArtifactError(f"{what} could not be transferred: {error}") from error
