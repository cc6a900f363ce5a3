"""The program `bwrap`: whether it is there, and whether this machine lets it work."""

import functools
import shutil
import subprocess

from mooring.runtimes.base import ImageError

_TRY_SECONDS = 10.0
_INSTALL = "install bubblewrap (apt-get install bubblewrap), or run a container engine"
_ISOLATED = ("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try")
_SEALED = ("--disable-userns",)
"""Refuses namespaces of its own to what is inside; bubblewrap has it from version 0.8 on."""


def isolation() -> tuple[str, ...]:
    """The options that take everything but the network away. Raises ImageError, in words, when it does not work here.

    An unprivileged user's bubblewrap needs a kernel that allows user namespaces.
    """
    if shutil.which("bwrap") is None:
        raise ImageError(f"bubblewrap is needed to run a stand-in, and is not installed: {_INSTALL}")
    for options in ((*_ISOLATED, *_SEALED), _ISOLATED):
        if not (reason := _why_not(options)):
            return options
    raise ImageError(
        f"bubblewrap does not work on this machine: {reason}. Allow user namespaces (with AppArmor: "
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0), or run a container engine"
    )


@functools.cache
def _why_not(options: tuple[str, ...]) -> str:
    """Tried once; what a machine allows does not change while we run."""
    command = ["bwrap", *options, "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TRY_SECONDS, check=False, env={})
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return "" if done.returncode == 0 else said[-1]
