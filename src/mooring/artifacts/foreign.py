"""Downloads from stores that only MLflow reads, in a process of their own."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from mooring.artifacts.deadline import Deadline
from mooring.artifacts.errors import ArtifactError, TookTooLong

_LONGEST_REASON = 500


def fetch_foreign(uri: str, folder: Path, tracking_uri: str | None, deadline: Deadline) -> Path:
    """The folder with the content, in or below the given one. Raises ArtifactError, OSError."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mooring.artifacts.download", uri, str(folder)],
        stdin=subprocess.PIPE,  # held open: the child ends when we do
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **({"MLFLOW_TRACKING_URI": tracking_uri} if tracking_uri else {})},
        start_new_session=True,
    )
    try:
        return _result(process, uri, folder, deadline)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _result(process: subprocess.Popen[bytes], uri: str, folder: Path, deadline: Deadline) -> Path:
    output, errors = _outputs(process, deadline)
    if process.returncode != 0:
        lines = errors.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        raise ArtifactError(f"{uri} could not be downloaded: {lines[-1][-_LONGEST_REASON:]}")
    result = Path(output.decode().strip().splitlines()[-1]).resolve()
    if not result.is_dir() or not result.is_relative_to(folder.resolve()):
        raise ArtifactError(f"{uri} is not a folder")
    return result


def _outputs(process: subprocess.Popen[bytes], deadline: Deadline) -> tuple[bytes, bytes]:
    # `communicate` would close the child's standard input, which is its sign to end.
    held, process.stdin = process.stdin, None
    try:
        return process.communicate(timeout=deadline.left())
    except subprocess.TimeoutExpired as error:
        raise TookTooLong(f"{deadline.what} was not complete within {deadline.seconds:g} s") from error
    finally:
        if held:
            held.close()
