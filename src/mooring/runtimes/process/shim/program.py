"""The program of a replica: forked first, recorded, and only then allowed to run."""

import fcntl
import os
import signal

from mooring.runtimes.process.layout import HOME
from mooring.runtimes.process.shim import prctl
from mooring.runtimes.process.shim.order import Order

_CANNOT_RUN = 127
_PIPE_BYTES = 1 << 18
"""What the kernel keeps for a shim that gets no processor for a while, before the replica's writes have to wait."""


class Program:
    """A forked child that waits until `release()`. It leads a session and process group of its own."""

    def __init__(self, order: Order) -> None:
        self.stdout, stdout = _output_pipe()
        self.stderr, stderr = _output_pipe()
        gate, self._gate = os.pipe()
        self._failure, failure = os.pipe()
        self._ready, ready = os.pipe()
        os.set_blocking(self._ready, False)
        self._on_trial = bool(order.module)
        shim = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._gate)
            _run(order, shim, stdout, stderr, gate, failure, ready)
        for descriptor in (stdout, stderr, gate, failure, ready):
            os.close(descriptor)

    def release(self) -> str:
        """Let it run. Returns why it cannot (it ends with exit code 127 then), or nothing."""
        try:
            os.write(self._gate, b"\n")
        except BrokenPipeError:
            return ""  # it was killed already, and will be reaped as such
        os.close(self._gate)
        failure = os.read(self._failure, 4096)  # closed by a successful exec
        os.close(self._failure)
        return failure.decode(errors="replace")

    def is_on_trial(self) -> bool:
        """Whether it was forked from a fork server, and has not said yet that it works."""
        if self._on_trial:
            try:
                self._on_trial = not os.read(self._ready, 1)
            except BlockingIOError:
                return True
        return self._on_trial

    def close(self) -> None:
        """Let go of its output, once it has ended."""
        for descriptor in (self.stdout, self.stderr, self._ready):
            os.close(descriptor)

    def signal(self, signum: int) -> None:
        """Signal its process group. Only while it has not been reaped: until then its number is nobody else's."""
        try:
            os.killpg(self.pid, signum)
        except ProcessLookupError:
            return  # all of the group are dead already


def _output_pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    try:  # noqa: SIM105 (contextlib costs each shim memory)
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except OSError:
        pass  # the user's pipes use up what the kernel allows: the usual size does as well
    os.set_blocking(reader, False)
    return reader, writer


def _run(order: Order, shim: int, stdout: int, stderr: int, gate: int, failure: int, ready: int) -> None:
    try:
        os.setsid()
        prctl.die_with(shim)
        for target, source in enumerate((os.open(os.devnull, os.O_RDONLY), stdout, stderr)):
            os.dup2(source, target)
        _limit(order.open_files)
        _restore_signals()
        os.umask(0o077)
        os.chdir(HOME)
        if not os.read(gate, 1):
            os._exit(1)
        if order.module:
            from mooring.runtimes.process.shim.become import become  # only in what a fork server has forked

            become(order, ready)
        os.execvpe(order.argv[0], order.argv, order.env)  # noqa: S606 (no shell is what we want)
    except Exception as error:  # noqa: BLE001 (whatever it is, the shim has to know: nobody else can tell)
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        os.write(failure, f"cannot run {order.argv[0]!r}: {reason}".encode())
    finally:
        os._exit(_CANNOT_RUN)


def _limit(open_files: int) -> None:
    import resource  # only the child needs it

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        open_files = min(open_files, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))


def _restore_signals() -> None:
    # What is ignored stays ignored over an exec: Python ignores two, and a shell some more for what it starts with &.
    for signum in signal.valid_signals():
        if signal.getsignal(signum) is signal.SIG_IGN:
            signal.signal(signum, signal.SIG_DFL)
