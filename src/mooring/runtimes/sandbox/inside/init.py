"""Process 1 of a sandbox: starts the user's command, passes signals on, reaps, and relays connections."""

import ctypes
import os
import signal
import sys
import time

from mooring.runtimes.sandbox.inside.order import GIVEN, Order, from_arguments
from mooring.runtimes.sandbox.inside.relay import Relay

_CANNOT_RUN, _NOT_FOUND = 126, 127
_LAST_ANSWERS_SECONDS = 2.0
_MOST_PROCESSES = 4096
_COUNT_SECONDS = 1.0
_PR_SET_DUMPABLE = 4


def main(arguments: list[str]) -> None:
    """Run to the end of the command and exit as it did (128 + n for signal n). Never returns."""
    order = from_arguments(arguments)
    _let_nobody_attach()
    wakeup = _catch_signals()
    relay = Relay(wakeup)
    _open_ways(relay, order)
    pid = _start(order)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    status = _run(relay, wakeup, pid)
    relay.finish(_LAST_ANSWERS_SECONDS)
    _leave(os.waitstatus_to_exitcode(status))


def _let_nobody_attach() -> None:
    """Whoever traces us can stop us, and then nobody counts the processes. (What we start can be traced as usual.)"""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _catch_signals() -> int:
    """A descriptor that becomes readable when one has come; reading it says which."""
    reader, writer = os.pipe()
    for descriptor in (reader, writer):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for signum in (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, _leave_to_reader)
    return reader


def _leave_to_reader(_signum: int, _frame: object) -> None:
    """The wakeup descriptor has it already."""


def _open_ways(relay: Relay, order: Order) -> None:
    if order.port:
        relay.serve(order.listener, order.port)
    if order.gateway_port:
        relay.offer(order.gateway_port, order.gateway)


def _start(order: Order) -> int:
    environment = {name[len(GIVEN) :]: value for name, value in os.environ.items() if name.startswith(GIVEN)}
    pid = os.fork()
    if pid:
        return pid
    code = _CANNOT_RUN
    try:
        signal.set_wakeup_fd(-1)
        for signum in (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(signum, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.setsid()
        os.umask(0o022)
        os.chdir(order.folder)
        os.execvpe(order.command[0], order.command, environment)  # noqa: S606 (no shell is what we want)
    except FileNotFoundError as error:
        code = _NOT_FOUND
        _say(f"cannot run {order.command[0]!r} in {order.folder}: {error.strerror}")
    except OSError as error:
        _say(f"cannot run {order.command[0]!r} in {order.folder}: {error.strerror}")
    finally:
        os._exit(code)


def _run(relay: Relay, wakeup: int, pid: int) -> int:
    count_at = 0.0
    while True:
        relay.turn(_COUNT_SECONDS)
        status = _react(wakeup, pid)
        if status is not None:
            return status
        if time.monotonic() >= count_at:
            count_at = time.monotonic() + _COUNT_SECONDS
            _refuse_fork_bombs()


def _react(wakeup: int, pid: int) -> int | None:
    try:
        came = os.read(wakeup, 4096)
    except BlockingIOError:
        return None
    if signal.SIGTERM in came:
        _pass_on(pid)
    return _reap(pid) if signal.SIGCHLD in came else None


def _pass_on(pid: int) -> None:
    for signum in (signal.SIGTERM, signal.SIGCONT):  # the second: a stopped process hears nothing
        try:
            os.kill(pid, signum)
        except ProcessLookupError:
            return


def _reap(pid: int) -> int | None:
    """The wait status of the command, once it has ended. Orphans are ours to reap too."""
    found = None
    try:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == pid:
                found = ended[1]
    except ChildProcessError:
        return found
    return found


def _refuse_fork_bombs() -> None:
    count = sum(name.isdecimal() for name in os.listdir("/proc"))  # noqa: PTH208 (pathlib would cost each sandbox a megabyte)
    if count > _MOST_PROCESSES:
        _say(f"{count} processes run, {_MOST_PROCESSES} are allowed: ended")
        os._exit(128 + signal.SIGKILL)  # the kernel ends all others with process 1


def _leave(code: int) -> None:
    if code < 0 and -code not in (signal.SIGTERM, signal.SIGKILL):
        try:
            name = f" ({signal.Signals(-code).name})"
        except ValueError:
            name = ""
        _say(f"ended by signal {-code}{name}")
    os._exit(128 - code if code < 0 else code)


def _say(words: str) -> None:
    sys.stderr.write(f"mooring: {words}\n")
    sys.stderr.flush()
