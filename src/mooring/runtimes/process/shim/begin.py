"""A program begins: forked, recorded, released."""

import os

from mooring.runtimes.process.layout import STATE
from mooring.runtimes.process.shim import disk, proc
from mooring.runtimes.process.shim.order import Order
from mooring.runtimes.process.shim.program import Program


def begin(order: Order) -> tuple[Program, str]:
    """The program, and why it cannot run (or nothing). Raises OSError when it cannot be recorded."""
    program = Program(order)
    _record(program.pid)
    failure = program.release()
    if not program.is_on_trial():
        order.env.clear()  # secrets: not needed any more
    return program, failure


def _record(program: int) -> None:
    fields = [proc.boot()]
    for pid in (os.getpid(), program):
        process = proc.find(pid)
        if process is None:
            raise ProcessLookupError(f"process {pid} is gone before it began")
        fields.append(f'{{"pid": {pid}, "started": {process.started}}}')
    disk.write(STATE, '{{"boot": "{}", "shim": {}, "program": {}}}'.format(*fields).encode())
