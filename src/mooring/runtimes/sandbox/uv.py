"""The program `uv`, which makes environments: how it is called, and what its failures mean."""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from mooring.runtimes.base import ImageAway, ImageError
from mooring.runtimes.sandbox.building import Building, kept_variables

_PASSES = re.compile(
    r"No space left on device|error sending request|[Ff]ailed to fetch|dns error|timed out|onnection (refused|reset)"
    r"|status (server )?error|50[0-9] |429 ",
)
_NEVER = re.compile(r"404 Not Found|40[13] |not found in the package registry")
_CREDENTIALS = re.compile(r"://[^/\s@]+@")
_READ_ONLY = "Read-only file system"
_LONGEST_REASON = 800
_OURS = ("MOORING_", "AICORE_", "VIRTUAL_ENV", "PYTHON", "LD_")


class Uv:
    """Runs it with a cache of its own. `seconds` bounds one call."""

    def __init__(self, cache: Path, pythons: Path, seconds: float) -> None:
        self._cache = cache
        self._pythons = pythons
        self._seconds = seconds

    @property
    def cache(self) -> Path:
        """What it has fetched and built."""
        return self._cache

    def run(self, arguments: Sequence[str], *, folder: Path, building: Building | None = None) -> None:
        """In the sandbox `building`, if one is given.

        Raises ImageAway when the same may succeed later, else ImageError with uv's own reason.
        """
        variables = self._variables(kept_variables() if building else _inherited())
        command = [_program(), *arguments, "--no-progress", "--color", "never"]
        if building:
            command = building.command(command, variables, folder)
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=variables,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=self._seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ImageAway(f"uv has not made the environment within {self._seconds:g} s") from None
        except OSError as error:
            raise ImageAway(f"uv cannot be run: {error}") from error
        if done.returncode != 0:
            raise _failure(done.stderr)

    def _variables(self, kept: dict[str, str]) -> dict[str, str]:
        ours = {"UV_CACHE_DIR": str(self._cache), "UV_PYTHON_INSTALL_DIR": str(self._pythons), "UV_NO_CONFIG": "1"}
        return {**kept, **ours}


def _inherited() -> dict[str, str]:
    """All of the operator's own, but for what is ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}


def _program() -> str:
    from uv import find_uv_bin  # costs nothing that anybody else needs

    return str(find_uv_bin())


def _failure(said: str) -> ImageError:
    words = " ".join(_CREDENTIALS.sub("://***@", said).split())
    reason = words[-_LONGEST_REASON:] or "it ended without a word"
    if _READ_ONLY in said:
        return ImageError(f"{reason} (packages in the folder are not built in it: put a wheel there)")
    if _PASSES.search(said) and not _NEVER.search(said):
        return ImageAway(reason)
    return ImageError(reason)
