"""What is said between a runtime and its fork server, over one connection per shim.

The runtime sends the replica's folder and four descriptors: the shim's standard input (its order), output and error,
and the folder's lock. The forked shim answers with its pid and waits for `GO`: a runtime that has given up meanwhile
never says it, so nothing is started twice.
"""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mooring.processes import ProcessId, identify

GO = b"go"
_LONGEST_MESSAGE = 8192
_STANDARD = 3


@dataclass(frozen=True)
class Request:
    """A shim that is wanted."""

    folder: str
    standard: tuple[int, ...]
    lock: int

    def take_over(self) -> None:
        """Make its standard input, output and error ours. The lock stays where it is."""
        for number, descriptor in enumerate(self.standard):
            os.dup2(descriptor, number, inheritable=True)  # what was received is beyond 2: none of them is in the way
            os.close(descriptor)

    def close(self) -> None:
        for descriptor in (*self.standard, self.lock):
            os.close(descriptor)


def receive(connection: socket.socket) -> Request:
    """Raises OSError, and ValueError for what is no request."""
    folder, descriptors, _, _ = socket.recv_fds(connection, _LONGEST_MESSAGE, _STANDARD + 1)
    if len(descriptors) != _STANDARD + 1 or not folder:
        for descriptor in descriptors:
            os.close(descriptor)
        raise ValueError("not a request for a shim")
    *standard, lock = descriptors
    return Request(os.fsdecode(folder), tuple(standard), lock)


def introduce(connection: socket.socket) -> None:
    """Say who we are, and wait until we are wanted. Raises OSError when we are not."""
    connection.send(str(os.getpid()).encode())
    if connection.recv(_LONGEST_MESSAGE) != GO:
        raise ConnectionAbortedError("not wanted any more")


class Asked:
    """A connection on which a shim has introduced itself."""

    def __init__(self, connection: socket.socket, shim: ProcessId) -> None:
        self._connection = connection
        self.shim = shim

    @classmethod
    def for_shim(cls, server: Path, folder: Path, lock: int, standard: list[int], timeout_seconds: float) -> Self:
        """Raises OSError when the server is not there, not warm yet, or does not answer in time: nothing runs then."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            connection.settimeout(timeout_seconds)
            connection.connect(str(server))
            socket.send_fds(connection, [os.fsencode(folder)], [*standard, lock])
            answer = connection.recv(_LONGEST_MESSAGE)
            shim = identify(int(answer)) if answer.isdigit() else None
            if shim is None:
                raise ConnectionAbortedError("the fork server has forked nothing")
            return cls(connection, shim)
        except BaseException:
            connection.close()
            raise

    def go(self) -> None:
        """Let it begin. Raises OSError."""
        with self._connection:
            self._connection.send(GO)
