"""A forked child that becomes the program by calling it, where another one would execute it.

What an exec does by itself has to be done by hand: the environment, signals, descriptors, and whatever Python keeps of
the process that it was.
"""

import gc
import importlib
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import NoReturn

from mooring.runtimes.process.shim.order import Order

_FAILED = 1


def become(order: Order, ready: int) -> NoReturn:
    """Never returns. `ready` is the descriptor to which one byte is written once the program works."""
    _close_all_but(ready)
    _forget_signals()
    os.environ.clear()
    os.environ.update(order.env)
    sys.path[0] = str(Path.cwd())
    sys.argv = [order.argv[0], *order.arguments]
    tempfile.tempdir = None  # TMPDIR is another one
    gc.enable()
    _run(order.module, order.arguments, ready)


def _run(module: str, arguments: list[str], ready: int) -> NoReturn:
    code = 0
    try:
        importlib.import_module(module).main(arguments, lambda: os.write(ready, b"r"))
    except SystemExit as request:
        code = _exit_code(request.code)
    except BaseException:  # noqa: BLE001 (as at the end of any Python program)
        traceback.print_exc()
        code = _FAILED
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _exit_code(wanted: object) -> int:
    """As Python reads `sys.exit(wanted)`."""
    if wanted is None or isinstance(wanted, int):
        return int(wanted or 0)
    print(wanted, file=sys.stderr)  # noqa: T201 (it is the reason, and read there)
    return _FAILED


def _close_all_but(kept: int) -> None:
    os.closerange(3, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))


def _forget_signals() -> None:
    """What the shim has set up; what is ignored was made the default already."""
    signal.set_wakeup_fd(-1)
    for signum in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(signum, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
