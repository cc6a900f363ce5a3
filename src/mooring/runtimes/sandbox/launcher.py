"""The last step outside of a sandbox, run as a program of its own: `launcher.py SOCKET COMMAND…`.

It makes what must not be made from inside, and then becomes bubblewrap:
- the replica's unix socket, bound but not yet listening, as descriptor 3. (A folder in which the inside could make it
  would let it put a link to somebody else's socket there, for the gateway to follow.)
- SIGTERM is blocked, so that bubblewrap, which would die of it, leaves it to the init inside, which takes it when it
  is ready.
"""

import os
import signal
import socket
import sys

LISTENER = 3


def main(path: str, command: list[str]) -> None:
    """Without a path there is no socket. Never returns. Raises OSError."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    if path:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(path)
        _put_at(LISTENER, listener.detach())
    os.execvp(command[0], command)  # noqa: S606 (no shell is what we want)


def _put_at(number: int, descriptor: int) -> None:
    if descriptor == number:
        os.set_inheritable(descriptor, True)
        return
    os.dup2(descriptor, number)
    os.close(descriptor)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
