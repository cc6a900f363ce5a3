"""The journals of the other replicas, the dead ones above all: what did they predict when they died?"""

import fcntl
import logging
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mooring.modelserver.journal import HEADER, SLOT_BYTES, SUFFIX, slot_of

_logger = logging.getLogger("mooring.modelserver")

_KEPT_SECONDS = 3600.0
_KEPT_FILES = 64
_LARGEST_BYTES = 1024 * 1024


class Journals:
    """All in one folder but the `own` one."""

    def __init__(self, own: Path) -> None:
        self._own = own
        self._complained: set[str] = set()

    def deaths(self, request: bytes, *, in_company: bool = False) -> int:
        """How many other replicas have not come to the end of this request, alone or in a batch with others.

        Whether they really are dead is not asked: one that dumps its memory looks alive for a while. What cannot be
        read does not count, and is warned of once.
        """
        wanted = slot_of(request, in_company=in_company)
        return sum(wanted in self._slots(path) for path in self._others())

    def prune(self) -> None:
        """Remove journals of the dead: those older than an hour, and all but the newest 64."""
        dead = [(noticed, path) for path in self._others() if (noticed := self._noticed_dead(path)) is not None]
        dead.sort(reverse=True)
        for place, (noticed, path) in enumerate(dead):
            if place >= _KEPT_FILES or time.time() - noticed > _KEPT_SECONDS:
                path.unlink(missing_ok=True)

    def _others(self) -> list[Path]:
        try:
            paths = list(self._own.parent.iterdir())
        except OSError as error:
            self._complain(self._own.parent, error)
            return []
        return [path for path in paths if path.suffix == SUFFIX and path != self._own]

    def _slots(self, path: Path) -> list[bytes]:
        try:
            with _opened(path) as descriptor:
                content = os.read(descriptor, _LARGEST_BYTES)
        except FileNotFoundError:  # removed meanwhile, by its owner or by whoever prunes
            return []
        except OSError as error:
            self._complain(path, error)
            return []
        if content and (len(content) % SLOT_BYTES or not content.startswith(HEADER)):
            self._complain(path, ValueError("it is not a journal"))
            return []
        return [content[at : at + SLOT_BYTES] for at in range(SLOT_BYTES, len(content), SLOT_BYTES)]

    def _noticed_dead(self, path: Path) -> float | None:
        try:
            with _opened(path) as descriptor:
                return _noticed_dead(descriptor)
        except (BlockingIOError, FileNotFoundError):
            return None
        except OSError as error:
            self._complain(path, error)
            return None

    def _complain(self, path: Path, error: Exception) -> None:
        if path.name not in self._complained:
            self._complained.add(path.name)
            _logger.warning("the journal %s of another replica is ignored: %s", path, error)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Raises OSError for all but regular files (a pipe must not make us wait)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is not a regular file")
        yield descriptor
    finally:
        os.close(descriptor)


def _noticed_dead(descriptor: int) -> float:
    """When a journal's owner was first found dead (Unix time). Raises BlockingIOError when it is alive.

    The age counts from then, not from the last write: on some file systems a write to mapped memory changes no time,
    and a replica that ran for hours would lose its journal as soon as its replacement starts. That it was found is
    kept in the mode: nobody will write to it any more.
    """
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    status = os.fstat(descriptor)
    if not status.st_mode & stat.S_IWUSR:
        return status.st_mtime
    os.utime(descriptor)
    os.fchmod(descriptor, stat.S_IRUSR)
    return time.time()
