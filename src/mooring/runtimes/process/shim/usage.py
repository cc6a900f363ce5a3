# ruff: noqa: PTH116 (pathlib would cost each shim a megabyte)
"""How much of the disk a replica uses: its folders are walked again and again, a little at a time."""

import os
import stat
import time
from collections.abc import Iterator

from mooring.runtimes.process.shim import proc
from mooring.runtimes.process.shim.held import held_by

_FIRST_REST_SECONDS = 0.5
_REST_SECONDS = 5.0
_TURN_SECONDS = 0.01
_BETWEEN_TURNS_SECONDS = 0.25
_AT_ONCE = 100
_DEEPEST = 256
_BLOCK_BYTES = 512


class Unmeasurable(Exception):
    """A folder that cannot be looked into; in words."""


class DiskWatch:
    """Measures `own` folders whole, and in those that were `given` what has changed since `since` (seconds since 1970).

    Files that were removed but are still held open by processes below `root` count, too. A walk takes `_TURN_SECONDS`
    out of `_BETWEEN_TURNS_SECONDS`, and then rests.
    """

    def __init__(self, root: int, limit_bytes: int, own: list[str], given: list[str], since: float) -> None:
        self._root = root
        self._limit_bytes = limit_bytes
        self._folders = [(folder, 0.0) for folder in own] + [(folder, since) for folder in given]
        self._walk: Iterator[int] | None = None
        self._used = 0
        self._was_over = False
        self._rest_seconds = _FIRST_REST_SECONDS
        self._began = 0.0
        self._next_turn = 0.0

    def seconds_to_turn(self) -> float:
        """When `excess` has something to do again."""
        return max(self._next_turn - time.monotonic(), 0.0)

    def excess(self) -> str:
        """What is wrong, in words, or nothing."""
        now = time.monotonic()
        if now < self._next_turn:
            return ""
        try:
            return self._turn(now)
        except Unmeasurable as error:
            return str(error)

    def _turn(self, now: float) -> str:
        if self._walk is None:
            self._began, self._used, self._walk = now, 0, self._sizes()
        for size in self._walk:
            self._used += size
            if self._used > self._limit_bytes:
                break
            if time.monotonic() - now > _TURN_SECONDS:
                self._next_turn = now + _BETWEEN_TURNS_SECONDS
                return ""
        return self._judge()

    def _judge(self) -> str:
        """What was moved during the walk may have been seen twice: only a second one is believed."""
        is_over = self._used > self._limit_bytes
        ended = time.monotonic()
        self._walk = None
        self._next_turn = ended + (0.0 if is_over else max(self._rest_seconds, ended - self._began))
        self._rest_seconds = min(self._rest_seconds * 2, _REST_SECONDS)
        if is_over and self._was_over:
            return f"used more of the disk than its limit of {self._limit_bytes >> 20} MiB"
        self._was_over = is_over
        return ""

    def _sizes(self) -> Iterator[int]:
        """A little of all at a time, in bytes."""
        yield sum(held_by([process.pid for process in proc.descendants(self._root)]).disk.values())
        for folder, since in self._folders:
            yield from _sizes_in(folder, since)


def _sizes_in(folder: str, since: float) -> Iterator[int]:
    """Depth first: what has to be remembered is as long as the tree is deep."""
    levels = [_entries(folder)]
    size, count = _size_of_file(folder, since), 0
    while levels:
        entry = next(levels[-1], None)
        if entry is None:
            levels.pop()
            continue
        try:
            found = entry.stat(follow_symlinks=False)
            is_folder = entry.is_dir(follow_symlinks=False)
        except OSError:
            continue  # removed in between
        size += _size(found, since)
        if is_folder:
            if len(levels) == _DEEPEST:
                raise Unmeasurable(f"made folders more than {_DEEPEST} deep, which cannot be held to a limit")
            levels.append(_entries(entry.path))
        count += 1
        if count % _AT_ONCE == 0:
            yield size
            size = 0
    yield size


def _size_of_file(path: str, since: float) -> int:
    """Of what was given, when it is no folder."""
    try:
        found = os.stat(path)
    except OSError:
        return 0
    return 0 if stat.S_ISDIR(found.st_mode) else _size(found, since)


def _size(found: os.stat_result, since: float) -> int:
    if found.st_ctime < since:
        return 0
    links = 1 if stat.S_ISDIR(found.st_mode) else max(1, found.st_nlink)  # each of them counts for its part
    return found.st_blocks * _BLOCK_BYTES // links


def _entries(folder: str) -> Iterator["os.DirEntry[str]"]:
    try:
        return os.scandir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return iter(())  # removed in between
    except OSError as error:
        raise Unmeasurable(
            f"made a folder that cannot be looked into ({error.strerror}), nor held to a limit"
        ) from None
