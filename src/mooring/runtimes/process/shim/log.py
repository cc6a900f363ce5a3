# ruff: noqa: PTH105 (pathlib would cost each shim a megabyte)
"""The log of a replica: two files of bounded size, in the text format of the Kubernetes container runtimes.

A line is `<RFC 3339 time> <stream> <F|P> <message>`, P for a part of a longer line. Our own notices have the stream
`mooring`.
"""

import os
import time


def stamp() -> bytes:
    """This moment in UTC, always 27 bytes, so that stamps sort as text."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return b"%s.%06dZ" % (whole.encode(), nanoseconds // 1000)


def record(at: bytes, stream: bytes, message: bytes, *, part: bool = False) -> bytes:
    """One line of the log."""
    return b"%s %s %s %s\n" % (at, stream, b"P" if part else b"F", message)


class Log:
    """Appends to `path`; before that exceeds `file_bytes` it becomes `path.1`.

    It never raises: a full disk must not reach the replica. What is missing is counted, and said as soon as the log
    can be written again.
    """

    def __init__(self, path: str, file_bytes: int) -> None:
        self.file_bytes = file_bytes
        self._path = path
        self._descriptor = -1
        self._size = 0
        self._torn = False
        self._dropped_lines = 0
        self._lost_bytes = 0

    def drop(self, lines: int) -> None:
        """Count lines that are not even tried."""
        self._dropped_lines += lines

    def write(self, lines: bytes) -> None:
        """Append whole lines, preceded by what has to be said about missing ones."""
        try:
            self._append(self._notices() + lines)
        except OSError:
            self._lost_bytes += len(lines)
        else:
            self._dropped_lines = self._lost_bytes = 0

    def _notices(self) -> bytes:
        text = b""
        if self._lost_bytes:
            message = b"%d bytes of the log are lost: they could not be written" % self._lost_bytes
            text += record(stamp(), b"mooring", message)
        if self._dropped_lines:
            message = b"%d lines are left out: the replica writes too fast" % self._dropped_lines
            text += record(stamp(), b"mooring", message)
        return text

    def _append(self, content: bytes) -> None:
        if self._descriptor < 0:
            self._open()
        if self._torn:
            content = b"\n" + content  # what was written of the last line stays a line of its own
        if self._size + len(content) > self.file_bytes:
            self._rotate()
        written = os.write(self._descriptor, content)
        self._size += written
        self._torn = content[written - 1 : written] != b"\n"
        if written < len(content):
            raise OSError("only a part could be written")

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._descriptor = os.open(self._path, flags, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _rotate(self) -> None:
        os.close(self._descriptor)
        self._descriptor = -1
        os.replace(self._path, f"{self._path}.1")
        self._open()
