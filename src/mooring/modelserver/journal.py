"""What this process predicts right now, in a file that outlives it, however it ends.

All replicas of one deployment keep their journals in one folder (on a local disk: what one of them writes into its
memory has to be there for the next one to read). The file is a header and one slot per prediction that can run at
the same time, SLOT_BYTES each; a slot holds the id of a request, filled up with zeros, or begins with a zero. Of one
that is predicted in a batch with others, the first byte has its highest bit set, which no id has.
"""

import fcntl
import mmap
import os
import secrets
from pathlib import Path

SLOT_BYTES = 128
"""Also the longest id of a request that can be noted."""
HEADER = b"mooring journal 1".ljust(SLOT_BYTES, b"\0")
SUFFIX = ".journal"
_IN_COMPANY = 0x80


class Journal:
    """The journal of this process. Thread-safe."""

    def __init__(self, folder: Path, *, slots: int) -> None:
        """Makes the folder (0700) when it is missing. Raises OSError when there can be no journal."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A pid alone comes back, in containers even at once.
        self.path = folder / f"{os.getpid()}-{secrets.token_hex(8)}{SUFFIX}"
        self._memory = _create(self.path, HEADER + bytes(slots * SLOT_BYTES))
        self._free = [SLOT_BYTES * number for number in range(1, slots + 1)]

    def begin(self, request: bytes, *, in_company: bool = False) -> int | None:
        """Note a request (at most SLOT_BYTES of ASCII); the slot for `end`, None when all are taken."""
        try:
            slot = self._free.pop()
        except IndexError:
            return None
        self._memory[slot : slot + SLOT_BYTES] = slot_of(request, in_company=in_company)
        return slot

    def end(self, slot: int | None) -> None:
        """The request's prediction is over."""
        if slot is not None:
            self._memory[slot] = 0
            self._free.append(slot)

    def remove(self) -> None:
        """At an orderly end. A prediction that nobody waits for any more may still use its slot."""
        self.path.unlink(missing_ok=True)


def slot_of(request: bytes, *, in_company: bool) -> bytes:
    """Of a slot."""
    filled = request.ljust(SLOT_BYTES, b"\0")
    return bytes((filled[0] | _IN_COMPANY,)) + filled[1:] if in_company else filled


def _create(path: Path, content: bytes) -> mmap.mmap:
    # Not renamed into its place, as the lock must be there before others look: they take an empty file for what it is.
    with path.open("xb+", buffering=0) as file:
        try:
            os.fchmod(file.fileno(), 0o600)
            # Held until the process ends, by the map's own descriptor: whoever prunes sees that the owner is alive.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Written and not just made that long: on a full disk, the first use of a hole would kill the process.
            if file.write(content) != len(content):
                raise OSError(f"{path} could not be written as a whole: is the disk full?")
            return mmap.mmap(file.fileno(), len(content))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
