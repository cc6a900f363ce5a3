"""`make unit`: all tests beside each other; the few that fail then, once more and alone.

Hundreds of real processes share a few cores while the suite runs, and a test that waits for one of them may wait too
long on a machine that something else slows down. Alone it has to pass, and what passed only alone is named at the end,
to be mended. More than a few failures are no accident: those are not tried again.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

FEW = 5
_TESTS_FAILED = 1
_CACHE = Path(".pytest_cache/v/cache/lastfailed")


def main(arguments: list[str]) -> int:
    """Pytest's exit code."""
    _CACHE.unlink(missing_ok=True)
    code = _pytest(arguments)
    failed = _failed()
    if code != _TESTS_FAILED or not 0 < len(failed) <= FEW:
        return code
    print(f"\n{len(failed)} of the tests failed beside the others; once more, alone:", flush=True)
    code = _pytest(["-n", "0", *failed])
    if code == 0:
        print("passed only alone, so they depend on the machine's load; mend them:", *failed, sep="\n  ", flush=True)
    return code


def _pytest(arguments: list[str]) -> int:
    # Begun by `make` in the background of a shell, it would ignore Ctrl-C, and so would what the tests start.
    for signum in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(signum, signal.SIG_DFL)
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False, env=os.environ).returncode


def _failed() -> list[str]:
    return list(json.loads(_CACHE.read_text())) if _CACHE.exists() else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
