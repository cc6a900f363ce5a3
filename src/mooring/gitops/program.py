"""The git program, called so that nothing it is given can become an option, a helper or somebody else's settings."""

import math
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from mooring.gitops.errors import GitError, TooMuch

_SETTINGS = (
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.http.allow=always",
    "protocol.ssh.allow=always",
    "core.hooksPath=/dev/null",
    "core.symlinks=false",
    "credential.helper=",
    "fetch.fsckObjects=true",
    "fetch.recurseSubmodules=false",
    # Elsewhere than where the operator said, credentials have no business.
    "http.followRedirects=false",
    "gc.auto=0",
    "maintenance.auto=false",
)
_OPTIONS = [part for setting in _SETTINGS for part in ("-c", setting)]
_PASSED_ON = (
    *("PATH", "TMPDIR", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY"),
    *("all_proxy", "ALL_PROXY"),
    *("GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR"),
)
_LIMITED = ("sh", "-c", 'ulimit -f "$1"; shift; exec "$@"', "sh")
"""Runs a program that cannot write files beyond a size, which `ulimit` counts in blocks of 512 bytes."""
_BLOCK = 512
_TELLING = ("fatal:", "error:", "remote:", "ERROR:", "ssh:", "Host key verification failed")
_OF_SSH = ": Permission denied ("
_LONGEST_COMPLAINT = 500
_LAST_BYTES = 65_536
"""Of git's complaints, the last ones tell what was fatal."""


@dataclass(frozen=True)
class GitProgram:
    """How git is run. `home` is a folder of ours that git takes for the user's; sizes in bytes, times in seconds.

    One run may take so many `seconds`, and all of them have to be over at the moment `until` (of the monotonic clock).
    """

    home: Path
    seconds: float
    most_bytes: int
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    until: float = math.inf

    def run(
        self, arguments: Sequence[str], *, folder: Path, stdin: bytes | None = None, most_bytes: int | None = None
    ) -> bytes:
        """What git writes: into files of ours, so that neither it nor a talkative server fills our memory.

        No file of it is larger than `most_bytes` (default: the program's). Raises GitError with git's last words,
        TooMuch, TimeoutError when it takes too long.
        """
        with TemporaryFile(dir=self.home) as output, TemporaryFile(dir=self.home) as complaints:
            with self._start(arguments, folder, stdin is not None, most_bytes, output, complaints) as process:
                self._wait(process, stdin)
            if process.returncode == -signal.SIGXFSZ:
                raise TooMuch("what git has to write exceeds what is allowed")
            if process.returncode != 0:
                raise GitError(_last_words(_end_of(complaints)))
            output.seek(0)
            return output.read()

    def _start(
        self,
        arguments: Sequence[str],
        folder: Path,
        has_stdin: bool,
        most_bytes: int | None,
        output: IO[bytes],
        complaints: IO[bytes],
    ) -> subprocess.Popen[bytes]:
        blocks = (most_bytes or self.most_bytes) // _BLOCK
        try:
            return subprocess.Popen(
                [*_LIMITED, str(blocks), "git", *_OPTIONS, *arguments],
                cwd=folder,
                env=self._environment(),
                stdin=subprocess.PIPE if has_stdin else subprocess.DEVNULL,
                stdout=output,
                stderr=complaints,
                start_new_session=True,
            )
        except OSError as error:
            raise GitError(f"git cannot be run: {error.strerror}. Install git (Debian: apt-get install git)") from None

    def _wait(self, process: subprocess.Popen[bytes], stdin: bytes | None) -> None:
        try:
            process.communicate(stdin, timeout=max(0.0, min(self.seconds, self.until - time.monotonic())))
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"git did not finish within {self.seconds:g} s") from None
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)  # with the programs that it has started

    def _environment(self) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
            # Whoever reads a folder of somebody else's does not fetch for them what they have left out.
            "GIT_NO_LAZY_FETCH": "1",
            **self.environment,
        }


def _end_of(file: IO[bytes]) -> bytes:
    file.seek(max(0, file.seek(0, os.SEEK_END) - _LAST_BYTES))
    return file.read()


def _last_words(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(_TELLING) or _OF_SSH in line] or lines
    words = "; ".join(telling[-3:]) or "git failed without a word"
    return "".join(character if character.isprintable() else " " for character in words)[:_LONGEST_COMPLAINT]
