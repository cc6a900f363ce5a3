"""Starting a shim and hearing from it that its program runs."""

import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import BinaryIO

from mooring import processes
from mooring.runtimes.process import layout, shim
from mooring.runtimes.process.forkserver.wire import Asked
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
    assert process.stdout is not None  # noqa: S101 (for the type checker: it is a pipe)
    try:
        with process.stdout:
            _hear_that_it_started(process.stdout.fileno(), folder, timeout_seconds)
    except BaseException:
        _end(process)
        raise
    return process


def launch_forked(server: Path, folder: Path, order: Order, *, timeout_seconds: float) -> None:
    """The same by way of a fork server: some milliseconds instead of an interpreter's start and its imports.

    Raises OSError, when the server is not there or not warm yet, too; nothing runs then.
    """
    stdout, answer = os.pipe()
    try:
        with os.fdopen(to_descriptor(order), "rb") as stdin, _errors(folder) as stderr:
            standard = [stdin.fileno(), answer, stderr.fileno()]
            asked = Asked.for_shim(server, folder, order.lock, standard, timeout_seconds)
        os.close(answer)
        answer = -1
        try:
            asked.go()
            _hear_that_it_started(stdout, folder, timeout_seconds)
        except BaseException:
            processes.stop(asked.shim, grace_seconds=0)
            raise
    finally:
        os.close(stdout)
        if answer >= 0:
            os.close(answer)


def _spawn(folder: Path, order: Order) -> "subprocess.Popen[bytes]":
    with os.fdopen(to_descriptor(order), "rb") as stdin, _errors(folder) as stderr:
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


def _errors(folder: Path) -> BinaryIO:
    errors = folder / layout.SHIM_ERRORS
    errors.touch(mode=0o600)
    return errors.open("wb")


def _hear_that_it_started(stdout: int, folder: Path, timeout_seconds: float) -> None:
    answer = _first_words(stdout, timeout_seconds)
    if answer != STARTED:
        why = answer.decode(errors="replace") or _complaint(folder)
        raise OSError(f"The process that watches replica {folder.name} could not start it: {why}")


def _first_words(stdout: int, timeout_seconds: float) -> bytes:
    """All that it writes to standard output before it closes it."""
    deadline = time.monotonic() + timeout_seconds
    words = b""
    poller = select.poll()
    poller.register(stdout, select.POLLIN)
    while poller.poll(max(deadline - time.monotonic(), 0) * 1000):
        if not (received := os.read(stdout, _ANSWER_BYTES)):
            return words
        words += received
    raise TimeoutError(f"The process that watches a replica has not started within {timeout_seconds:g} s")


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


def _complaint(folder: Path) -> str:
    text = (folder / layout.SHIM_ERRORS).read_text(errors="replace").strip()
    return text.splitlines()[-1] if text else "it ended without a word"
