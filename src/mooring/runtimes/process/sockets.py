"""Paths of unix sockets, short enough for the kernel."""

import hashlib
from pathlib import Path

_LONGEST_NAME = 35
"""`Home.sockets` leaves room for this and the suffix."""


def socket_in(folder: Path, replica_id: str) -> Path:
    """The socket of a replica; a long id is shortened, still unmistakably."""
    if len(replica_id) > _LONGEST_NAME:
        digest = hashlib.sha256(replica_id.encode()).hexdigest()[:16]
        replica_id = f"{replica_id[: _LONGEST_NAME - 17]}-{digest}"
    return folder / f"{replica_id}.sock"
