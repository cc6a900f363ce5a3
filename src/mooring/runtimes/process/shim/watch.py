"""The life of one replica, from its first instruction until nothing of it is left."""

import os
import select
import signal
import time

from mooring.runtimes.process.shim import ending, proc
from mooring.runtimes.process.shim.begin import begin
from mooring.runtimes.process.shim.log import Log, record, stamp
from mooring.runtimes.process.shim.memory import MemoryWatch
from mooring.runtimes.process.shim.order import Order
from mooring.runtimes.process.shim.program import Program
from mooring.runtimes.process.shim.pump import Pump
from mooring.runtimes.process.shim.signals import Signals
from mooring.runtimes.process.shim.usage import DiskWatch

_MEMORY_SECONDS = 0.5
_LAST_OUTPUT_SECONDS = 2.0
_DYING_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 0.01


class Watch:
    """Moves its output to the log, holds it to its limits, ends it when asked, and writes down how it ended."""

    def __init__(
        self, order: Order, program: Program, signals: Signals, usage: DiskWatch | None, reason: str = ""
    ) -> None:
        self._log = Log(order.log, order.log_file_bytes)
        self._order = order
        self._signals = signals
        self._grace_seconds = order.stop_grace_seconds
        self._memory = MemoryWatch(os.getpid(), order.memory_bytes) if order.memory_bytes else None
        self._usage = usage
        self._poller = select.poll()
        self._poller.register(signals.descriptor, select.POLLIN)
        self._attend(program)
        self._trial_ends: float | None = time.monotonic() + order.warm_seconds if program.is_on_trial() else None
        self._kill_at: float | None = None
        self._status: int | None = None
        self._reason = reason  # why we ended it, or why it could not begin

    def run(self) -> None:
        """Returns when the program and all its descendants are gone and the record is written. Raises OSError."""
        while self._status is None:
            self._wait()
            self._reap()
            self._judge_trial()
            self._enforce()
        self._end_descendants()
        self._drain()
        asked = self._kill_at is not None
        words = self._stderr.last_words()
        ending.write(self._status, ending.reason(self._status, ours=self._reason, asked=asked, last_words=words))

    def _attend(self, program: Program) -> None:
        self._program = program
        self._stderr = Pump(program.stderr, b"stderr", self._log)
        self._pumps = {program.stdout: Pump(program.stdout, b"stdout", self._log), program.stderr: self._stderr}
        for descriptor in self._pumps:
            self._poller.register(descriptor, select.POLLIN)

    def _drain(self) -> None:
        for pump in self._pumps.values():
            _drain(pump)

    def _wait(self) -> None:
        for descriptor, _ in self._poller.poll(self._timeout_milliseconds()):
            if descriptor == self._signals.descriptor:
                if signal.SIGTERM in self._signals.take():
                    self._ask_to_end()
            elif not self._pumps[descriptor].read():
                self._poller.unregister(descriptor)

    def _timeout_milliseconds(self) -> int | None:
        seconds = [_MEMORY_SECONDS] if self._memory else []
        if self._usage:
            seconds.append(max(self._usage.seconds_to_turn(), _LOOK_AGAIN_SECONDS))
        if self._trial_ends is not None:
            seconds.append(max(self._trial_ends - time.monotonic(), _LOOK_AGAIN_SECONDS))
        if self._kill_at is not None:
            seconds.append(max(self._kill_at - time.monotonic(), _LOOK_AGAIN_SECONDS))
        return int(min(seconds) * 1000) if seconds else None

    def _ask_to_end(self) -> None:
        if self._kill_at is None:
            self._kill_at = time.monotonic() + self._grace_seconds
            self._program.signal(signal.SIGTERM)
            self._program.signal(signal.SIGCONT)  # a stopped process hears nothing

    def _judge_trial(self) -> None:
        """Some libraries do not survive a fork: they crash, or wait for ever. Who ends by itself has its reasons."""
        if self._trial_ends is None:
            return
        if not self._program.is_on_trial():
            self._end_trial()
        elif self._kill_at is None and not self._reason:
            if self._status is not None and os.WIFSIGNALED(self._status):
                self._start_afresh(b"the forked process was killed before it was ready: a fresh one is started")
            elif self._status is None and time.monotonic() >= self._trial_ends:
                self._start_afresh(b"the forked process is not ready in time: a fresh one is started")

    def _start_afresh(self, notice: bytes) -> None:
        self._log.write(record(stamp(), b"mooring", notice))
        self._end_descendants()
        self._drain()
        for descriptor in self._pumps:
            try:  # noqa: SIM105 (contextlib costs each shim memory)
                self._poller.unregister(descriptor)
            except KeyError:
                pass  # it was at its end already
        self._program.close()
        self._order.module, self._status = "", None
        program, self._reason = begin(self._order)
        self._attend(program)
        self._end_trial()

    def _end_trial(self) -> None:
        self._trial_ends = None
        self._order.env.clear()  # secrets: not needed any more

    def _enforce(self) -> None:
        if self._status is not None:
            return
        excess = (self._memory.excess() if self._memory else "") or (self._usage.excess() if self._usage else "")
        if excess:
            self._kill(excess)
        elif self._kill_at is not None and time.monotonic() >= self._kill_at:
            self._kill(f"did not end within {self._grace_seconds:g} s of being asked to, and was killed")

    def _kill(self, reason: str) -> None:
        self._reason = self._reason or reason
        for process in proc.descendants(os.getpid()):
            proc.kill(process)

    def _reap(self) -> None:
        # Not only the program: orphans among its descendants are our children too.
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._program.pid:
                    self._status = ended[1]
        except ChildProcessError:
            return

    def _end_descendants(self) -> None:
        deadline = time.monotonic() + _DYING_SECONDS
        while (left := proc.descendants(os.getpid())) and time.monotonic() < deadline:
            for process in left:
                proc.kill(process)
            time.sleep(_LOOK_AGAIN_SECONDS)
            self._reap()
        self._reap()


def _drain(pump: Pump) -> None:
    deadline = time.monotonic() + _LAST_OUTPUT_SECONDS
    try:
        while pump.read() and time.monotonic() < deadline:
            continue
    except BlockingIOError:
        pass  # somebody who is no descendant holds the pipe open: there is no end to wait for
    pump.finish()
