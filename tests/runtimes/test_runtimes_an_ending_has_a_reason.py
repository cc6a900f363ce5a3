"""Who reads `reason` knows what to do next."""

import signal

import pytest

from mooring.processes import send
from mooring.runtimes.base import Phase
from tests.runtimes.harbour import Harbour, python, server

CASES = {
    "last line on stderr": (
        "import sys; print('fine'); sys.exit('mooring: cannot load model \\'m\\': no such file')",
        1,
        "mooring: cannot load model 'm': no such file",
    ),
    "last line of a traceback": ("import no_such_module", 1, "ModuleNotFoundError: No module named 'no_such_module'"),
    "blank and drawn lines are passed over": (
        "import sys; print('what it is\\n  ^^^^\\n\\n', file=sys.stderr); sys.exit(3)",
        3,
        "what it is",
    ),
    "nothing said": ("import sys; sys.exit(7)", 7, "ended by itself with exit code 7"),
    "success": ("import sys; print('a warning', file=sys.stderr)", 0, "ended by itself with exit code 0"),
    "crash": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -11, "ended by signal 11 (SIGSEGV)"),
    "abort": (
        "import os, sys; print('terminate called: bad_alloc', file=sys.stderr); os.abort()",
        -6,
        "ended by signal 6 (SIGABRT): terminate called: bad_alloc",
    ),
    "nameless signal": ("import os; os.kill(os.getpid(), 40)", -40, "ended by signal 40"),
    "no escapes": ("import sys; sys.exit('\\033[31mred\\a')", 1, "[31mred"),
    "not endless, and whole": (
        "import sys; sys.stderr.reconfigure(encoding='utf8'); sys.exit('😀\\x01' * 500 + 'end')",
        1,
        "😀 " * 499 + "😀",
    ),
    "not endless": ("import sys; sys.exit('x' * 100_000)", 1, "x" * 1000),
}


@pytest.mark.parametrize("case", CASES)
def test_the_reason_is_what_a_person_would_look_for(harbour: Harbour, case: str) -> None:
    program, exit_code, reason = CASES[case]
    harbour.runtime.start("replica1", python(program))
    ended = harbour.until("replica1", Phase.EXITED)
    assert (ended.exit_code, ended.reason) == (exit_code, reason)


def test_a_kill_is_named(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", server("import sys; print('GET / 200', file=sys.stderr)"))
    harbour.until("replica1", Phase.READY)
    send(harbour.state("replica1").program, signal.SIGKILL)
    ended = harbour.until("replica1", Phase.EXITED)
    assert (ended.exit_code, ended.reason, ended.asked) == (-9, "ended by signal 9 (SIGKILL)", False)


def test_a_failure_on_the_way_out_is_not_hidden(harbour: Harbour) -> None:
    failing = "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit('cannot save'))\nprint('up')\n"
    harbour.runtime.start("replica1", python(f"{failing}time.sleep(600)"))
    while not harbour.messages("replica1"):
        assert harbour.runtime.observe("replica1").phase is Phase.STARTING
    harbour.runtime.stop("replica1")
    ended = harbour.until("replica1", Phase.EXITED)
    assert (ended.exit_code, ended.reason) == (1, "cannot save")
