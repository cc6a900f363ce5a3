"""Walking into a folder by names, never through a link: whatever lies there, nothing outside is reached."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def opened(folder: int, names: Sequence[str], *, create: bool = False, mode: int = 0o700) -> Iterator[int]:
    """The descriptor of the folder below `folder`; closed afterwards. `mode` is of those that are made.

    Raises FileNotFoundError; NotADirectoryError when something on the way is a file; OSError (ELOOP) for a link.
    """
    descriptor = os.dup(folder)
    try:
        for name in names:
            descriptor = _step(descriptor, name, create=create, mode=mode)
        yield descriptor
    finally:
        os.close(descriptor)


def _step(folder: int, name: str, *, create: bool, mode: int) -> int:
    if create:
        with suppress(FileExistsError):
            os.mkdir(name, mode, dir_fd=folder)
    below = os.open(name, _FOLDER, dir_fd=folder)
    os.close(folder)
    return below


def remove_empty(folder: int, names: Sequence[str]) -> None:
    """Remove the folders on this way that are empty, from its end: an object store has no folders to be left over."""
    for depth in range(len(names), 0, -1):
        try:
            with opened(folder, names[: depth - 1]) as parent:
                os.rmdir(names[depth - 1], dir_fd=parent)
        except OSError:
            return  # not empty, or gone: both are fine
