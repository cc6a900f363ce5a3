"""Why a program ended, in words, and the record of it."""

import os
import signal

from mooring.runtimes.process.layout import EXIT
from mooring.runtimes.process.shim import disk
from mooring.runtimes.process.shim.log import stamp

_LONGEST_REASON = 1000


_AS_ASKED = (0, -signal.SIGTERM, 128 + signal.SIGTERM)
"""The last is what a shell makes of it."""


def reason(status: int, *, ours: str, asked: bool, last_words: str) -> str:
    """From a wait status. `ours` is why the shim itself ended it, `last_words` its last line on stderr."""
    code = os.waitstatus_to_exitcode(status)
    if ours:
        return ours
    if asked and code in _AS_ASKED:
        return "ended as asked"
    if code == -signal.SIGABRT and last_words:  # who aborts says why
        return f"ended by {_name(-code)}: {last_words}"
    if code < 0:
        return f"ended by {_name(-code)}"
    if code > 0 and last_words:
        return last_words
    return f"ended by itself with exit code {code}"


def write(status: int, reason: str) -> None:
    """Leave the record, into space that was reserved for it. Raises OSError."""
    import json  # costs memory, which does not matter any more

    code = os.waitstatus_to_exitcode(status)
    facts = {
        "exit_code": code,
        "signal": -code if code < 0 else None,
        "reason": reason[:_LONGEST_REASON],
        "at": stamp().decode(),
    }
    disk.write_reserved(EXIT, json.dumps(facts, ensure_ascii=False).encode(errors="replace"))


def _name(signum: int) -> str:
    try:
        return f"signal {signum} ({signal.Signals(signum).name})"
    except ValueError:
        return f"signal {signum}"  # a real-time signal
