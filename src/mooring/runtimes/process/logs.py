"""Reading the log files that the shim writes (its `log.py` says in which form)."""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from mooring.runtimes.base import LogLine

_BLOCK_BYTES = 1 << 16
_STAMP_BYTES = len("2026-01-31T23:59:59.123456Z")


def read(log: Path, *, start: datetime, end: datetime, newest_first: bool) -> Iterator[LogLine]:
    """The lines of both files between two moments (with time zones), both included, in the order of writing.

    Every line is looked at, for a clock that was set back makes the order of times another than that of lines.
    """
    first, last = _stamp(start), _stamp(end)
    with ExitStack() as stack:
        files = [stack.enter_context(file) for file in _open(log)]
        lines = _backwards(files) if newest_first else _forwards(files)
        for line in lines:
            if first <= line[:_STAMP_BYTES] <= last and (parsed := _parse(line)):
                yield parsed


def forget(log: Path) -> None:
    """Remove both files."""
    for path in (log, older(log)):
        path.unlink(missing_ok=True)


def older(log: Path) -> Path:
    """Where the shim moves a log that has become too large."""
    return log.with_name(f"{log.name}.1")


def _open(log: Path) -> list[BinaryIO]:
    """The older file first. Opened second, so that a rotation in between shows the same file twice, not never."""
    files: list[BinaryIO] = []
    for path in (log, older(log)):
        with suppress(FileNotFoundError):
            files.insert(0, path.open("rb"))
    if len(files) == 2 and os.path.samestat(*(os.fstat(file.fileno()) for file in files)):
        files.pop().close()
    return files


def _forwards(files: Iterable[BinaryIO]) -> Iterator[bytes]:
    for file in files:
        yield from (line for line in file if line.endswith(b"\n"))  # else it is still being written


def _backwards(files: list[BinaryIO]) -> Iterator[bytes]:
    for file in reversed(files):
        yield from _lines_from_end(file)


def _lines_from_end(file: BinaryIO) -> Iterator[bytes]:
    position = file.seek(0, os.SEEK_END)
    rest = b""
    complete = False  # what follows the last line end is still being written
    while position:
        size = min(_BLOCK_BYTES, position)
        position = file.seek(position - size)
        rest, *lines = (file.read(size) + rest).split(b"\n")
        for line in reversed(lines):
            if complete:
                yield line + b"\n"
            complete = True
    if complete:
        yield rest + b"\n"


def _stamp(moment: datetime) -> bytes:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}".encode()


def _parse(line: bytes) -> LogLine | None:
    parts = line[:-1].split(b" ", 3)
    try:
        stamp, stream, _, message = (part.decode(errors="replace") for part in parts)
        return LogLine(datetime.fromisoformat(stamp), stream, message.removesuffix("\r"))
    except ValueError:
        return None  # torn by a full disk or a power cut
