"""Starting a shim and hearing from it that its program runs."""

import os
import select
import subprocess
import sys
import time
from pathlib import Path

from mooring.runtimes.process import layout, shim
from mooring.runtimes.process.shim.main import STARTED
from mooring.runtimes.process.shim.order import Order, to_descriptor

_ANSWER_BYTES = 4096
_SHIM = Path(shim.__file__).with_name("__main__.py")


def launch(folder: Path, order: Order, *, timeout_seconds: float) -> "subprocess.Popen[bytes]":
    """The shim, watching a program that runs and is recorded. Poll it now and then, so that it is reaped.

    Raises OSError when shim or record cannot be made, and TimeoutError (an OSError); nothing runs then. A program
    that cannot be run is no error here: it is a replica that has ended at once.
    """
    process = _spawn(folder, order)
    try:
        answer = _first_words(process, timeout_seconds)
    except BaseException:
        _end(process)
        raise
    if answer != STARTED:
        _end(process)
        why = answer.decode(errors="replace") or _complaint(folder)
        raise OSError(f"The process that watches replica {folder.name} could not start it: {why}")
    return process


def _spawn(folder: Path, order: Order) -> "subprocess.Popen[bytes]":
    errors = folder / layout.SHIM_ERRORS
    errors.touch(mode=0o600)
    with os.fdopen(to_descriptor(order), "rb") as stdin, errors.open("wb") as stderr:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(_SHIM), str(folder)],
            env={},
            cwd="/",
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            pass_fds=(order.lock,),
            start_new_session=True,
        )


def _first_words(process: "subprocess.Popen[bytes]", timeout_seconds: float) -> bytes:
    """All that it writes to standard output before it closes it."""
    assert process.stdout is not None  # noqa: S101 (for the type checker: it is a pipe)
    deadline = time.monotonic() + timeout_seconds
    words = b""
    with process.stdout:
        poller = select.poll()
        poller.register(process.stdout, select.POLLIN)
        while poller.poll(max(deadline - time.monotonic(), 0) * 1000):
            if not (received := os.read(process.stdout.fileno(), _ANSWER_BYTES)):
                return words
            words += received
    raise TimeoutError(f"The process that watches a replica has not started within {timeout_seconds:g} s")


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


def _complaint(folder: Path) -> str:
    text = (folder / layout.SHIM_ERRORS).read_text(errors="replace").strip()
    return text.splitlines()[-1] if text else "it ended without a word"
