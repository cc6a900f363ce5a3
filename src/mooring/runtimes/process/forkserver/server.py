"""The fork server itself: import, prime, listen; then fork one shim per request, for ever."""

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import NoReturn

from mooring.runtimes.process.forkserver import wire

_BACKLOG = 64
_REQUEST_SECONDS = 2.0
_LOOK_FOR_HOME_SECONDS = 10.0


def serve(*, module: str, path: Path, lock: Path, held: int) -> None:
    """Blocks until SIGTERM, or until `lock`, which the descriptor `held` holds, is removed along with the home.

    It listens only once it is warm, so whoever can connect gets a fork at once. `module` has `prepare()`, which imports
    and primes, and `main(arguments, on_ready)`, which is the program.
    """
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    os.set_inheritable(held, False)
    gc.disable()
    importlib.import_module(module).prepare()
    _check_that_forks_are_safe()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # shims that end while we live are nobody's to wait for
    with _listen(path) as listener:
        # What is here now stays: neither we nor what is forked look at it again, so its pages stay shared.
        gc.collect()
        gc.freeze()
        while lock.exists():
            if select.select([listener], [], [], _LOOK_FOR_HOME_SECONDS)[0]:
                _answer(listener, held)


def _answer(listener: socket.socket, held: int) -> None:
    with contextlib.suppress(OSError, ValueError):  # whoever asked has given up: they start it another way
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(_REQUEST_SECONDS)
            request = wire.receive(connection)
            try:
                if os.fork() == 0:
                    listener.close()
                    os.close(held)  # it says that we live, and is nobody else's
                    _become_shim(connection, request)
            finally:
                request.close()


def _become_shim(connection: socket.socket, request: wire.Request) -> NoReturn:
    try:
        os.setsid()
        wire.introduce(connection)  # raises when who asked is gone: then nothing was begun
        request.take_over()
        connection.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        from mooring.runtimes.process.shim.main import main

        main(request.folder, request.lock)
    except BaseException as error:  # noqa: BLE001 (its standard error is all that it has)
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)
    os._exit(0)


def _check_that_forks_are_safe() -> None:
    """A lock that another thread holds while we fork is held for ever in the child."""
    if (count := threading.active_count()) > 1:
        names = ", ".join(thread.name for thread in threading.enumerate())
        sys.exit(f"{count} threads run after the imports ({names}): nothing can be forked safely")


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    previous = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(previous)
    listener.listen(_BACKLOG)
    return listener
