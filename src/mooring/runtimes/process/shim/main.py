"""From an order to a watched program."""

import os
import time

from mooring.runtimes.process.layout import EXIT, STOP
from mooring.runtimes.process.shim import disk, prctl
from mooring.runtimes.process.shim.begin import begin
from mooring.runtimes.process.shim.order import Order, from_descriptor
from mooring.runtimes.process.shim.signals import Signals
from mooring.runtimes.process.shim.usage import DiskWatch
from mooring.runtimes.process.shim.watch import Watch

_CLOCK_TICK_SECONDS = 0.01
"""So much older may the times be that the kernel gives to files."""
STARTED = b"started"
"""What the starter reads once the program runs and its record is written; anything else is the reason why not."""


def main(folder: str, lock: int | None = None) -> None:
    """Start what standard input orders, say so on standard output, and watch it to its end.

    `lock` is the descriptor of the folder's lock when it is not the one that the order names.
    """
    os.chdir(folder)
    try:
        order = from_descriptor(0)
        order.lock = order.lock if lock is None else lock
        watch = _start(order)
    except OSError as error:
        os.write(1, str(error).encode())
        os._exit(1)
    os.write(1, STARTED)
    _let_go_of_starter()
    watch.run()


def _start(order: Order) -> Watch:
    os.set_inheritable(order.lock, False)
    signals = Signals()
    prctl.adopt_orphans()
    disk.reserve(EXIT)
    usage = _disk_watch(order)
    program, failure = begin(order)
    if disk.exists(STOP):
        signals.ask_to_end()
    return Watch(order, program, signals, usage, failure)


def _disk_watch(order: Order) -> DiskWatch | None:
    """Made before the program begins: what is older is not its own."""
    if order.disk_bytes is None:
        return None
    return DiskWatch(os.getpid(), order.disk_bytes, ["."], order.folders, time.time() - _CLOCK_TICK_SECONDS)


def _let_go_of_starter() -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(null, descriptor)
    os.close(null)
