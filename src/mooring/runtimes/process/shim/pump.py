"""One output stream of the replica on its way into the log."""

import os

from mooring.runtimes.process.shim.allowance import Allowance
from mooring.runtimes.process.shim.log import Log, record, stamp

_READ_BYTES = 1 << 16
_LONGEST_LINE = 16 * 1024
_BATCH_BYTES = 32 * 1024
"""With one more line still less than the smallest log file, so that a batch always fits into one."""
_TAIL_BYTES = 4096


class Pump:
    """Reads a non-blocking pipe and writes its lines, bounded in length and in number, to the log."""

    def __init__(self, descriptor: int, stream: bytes, log: Log) -> None:
        self.descriptor = descriptor
        self._stream = stream
        self._log = log
        self._allowance = Allowance(log.file_bytes)
        self._rest = b""  # of a line whose end has not come yet
        self._tail = b""  # the last bytes of all
        self._left_out: bytes | None = None  # the last bytes of what there is no room for

    def read(self) -> bool:
        """Take what is there, a bounded amount of it. False at the end; BlockingIOError when nothing is there yet."""
        chunk = os.read(self.descriptor, _READ_BYTES)
        self._tail = (self._tail + chunk)[-_TAIL_BYTES:]
        if chunk:
            take = self._keep if self._allowance.is_left() else self._leave_out
            take(chunk)
        return bool(chunk)

    def finish(self) -> None:
        """Write what is left: a last line without an end, and the last lines of a flood."""
        left_out = (self._left_out or b"").partition(b"\n")[2]
        lines = (self._rest + left_out).removesuffix(b"\n")
        if lines:
            self._write(lines.split(b"\n"))
        self._rest, self._left_out = b"", None

    def last_words(self) -> str:
        """The last line that says anything, or nothing."""
        lines = self._tail.decode(errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if any(map(str.isalpha, line))), "")

    def _keep(self, chunk: bytes) -> None:
        chunk = self._resume(chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        self._write(lines)
        while len(self._rest) > _LONGEST_LINE:
            part, self._rest = _split(self._rest)
            self._append(record(stamp(), self._stream, part, part=True))

    def _resume(self, chunk: bytes) -> bytes:
        """What of it is to be kept: not the rest of a line whose beginning was left out."""
        if self._left_out is None:
            return chunk
        if not self._left_out.endswith(b"\n"):
            rest, end, chunk = chunk.partition(b"\n")
            self._leave_out(rest + end)
            if not end:
                return b""
        self._left_out = None
        return chunk

    def _leave_out(self, chunk: bytes) -> None:
        if self._left_out is None:
            self._left_out = b"\n"
            if self._rest:  # this line has begun: it gets its end
                end_of_line, self._left_out, chunk = chunk.partition(b"\n")
                self._write([self._rest + end_of_line])
                self._rest = b""
        self._left_out = (self._left_out + chunk)[-_TAIL_BYTES:]
        self._log.drop(chunk.count(b"\n"))

    def _write(self, lines: list[bytes]) -> None:
        at = stamp()
        batch: list[bytes] = []
        size = 0
        for line in lines:
            while len(line) > _LONGEST_LINE:
                part, line = _split(line)  # noqa: PLW2901 (what is left of it)
                self._append(b"".join(batch) + record(at, self._stream, part, part=True))
                batch, size = [], 0
            batch.append(record(at, self._stream, line))
            size += len(batch[-1])
            if size > _BATCH_BYTES:
                self._append(b"".join(batch))
                batch, size = [], 0
        self._append(b"".join(batch))

    def _append(self, records: bytes) -> None:
        if records:
            self._allowance.spend(len(records))
            self._log.write(records)


def _split(line: bytes) -> tuple[bytes, bytes]:
    """Its longest allowed beginning that does not cut a UTF-8 character in two, and the rest."""
    end = _LONGEST_LINE
    while end > _LONGEST_LINE - 3 and line[end] & 0xC0 == 0x80:
        end -= 1
    return line[:end], line[end:]
