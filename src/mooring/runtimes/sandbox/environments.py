"""Python environments of stand-ins: made once per content of their requirements, complete or absent."""

import hashlib
import json
import logging
import os
import platform
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from mooring.domain.stand_ins import StandIn
from mooring.files import write_atomically
from mooring.runtimes.base import ImageAway, ImageError
from mooring.runtimes.process import lock
from mooring.runtimes.sandbox.filesystem import our_python
from mooring.runtimes.sandbox.uv import Uv

_FORMAT = "1"
_DEFAULT = "requirements.txt"
_FACTS = "mooring.json"
_LARGEST_REQUIREMENTS_BYTES = 1 << 20
_logger = logging.getLogger("mooring.runtimes.sandbox")


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and the prefix of the Python that it needs."""

    key: str
    folder: Path
    base_prefix: str


class Environments:
    """Those below `folder`. `uv_cache` holds what was fetched; `seconds` bounds the making of one."""

    def __init__(self, folder: Path, uv_cache: Path, seconds: float) -> None:
        self._folder = folder
        self._seconds = seconds
        self._uv = Uv(uv_cache, folder / "pythons", seconds)

    def find(self, key: str) -> Environment | None:
        """One that was made before; None when it is not there (any more)."""
        folder = self._folder / key
        try:
            facts = json.loads((folder / _FACTS).read_bytes())
            return Environment(key, folder, str(facts["base_prefix"]))
        except (OSError, ValueError, KeyError):
            return None

    def prepare(self, stand_in: StandIn) -> Environment:
        """Make it unless it is there; two at once make it once. Raises ImageError, ImageAway."""
        requirements = _requirements(stand_in)
        key = _key(stand_in, requirements)
        if found := self.find(key):
            return found
        try:
            return self._make_alone(key, stand_in, requirements)
        except OSError as error:
            raise ImageAway(f"the environment of {stand_in.folder} cannot be made: {error}") from error

    def _make_alone(self, key: str, stand_in: StandIn, requirements: Path | None) -> Environment:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = lock.take_within(self._folder / f".{key}.lock", timeout_seconds=self._seconds)
        if held is None:
            raise ImageAway(f"the environment of {stand_in.folder} is still being made by somebody else")
        try:
            return self.find(key) or self._make(key, stand_in, requirements)
        finally:
            os.close(held)

    def _make(self, key: str, stand_in: StandIn, requirements: Path | None) -> Environment:
        unfinished = self._folder / f".{key}.making"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        began = time.monotonic()
        _logger.info("making the environment of %s (%s)", stand_in.folder, requirements or "no requirements")
        try:
            self._fill(unfinished, stand_in, requirements)
            facts = {"base_prefix": _base_prefix(unfinished), "requirements": str(requirements or "")}
            write_atomically(unfinished / _FACTS, json.dumps(facts).encode())
            unfinished.rename(self._folder / key)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        _logger.info("made the environment of %s in %.1f s", stand_in.folder, time.monotonic() - began)
        return Environment(key, self._folder / key, str(facts["base_prefix"]))

    def _fill(self, target: Path, stand_in: StandIn, requirements: Path | None) -> None:
        python = stand_in.python or our_python()
        try:
            # Relocatable, because it is seen at another path inside.
            self._uv.run(
                ["venv", "--relocatable", "--no-project", "--python", python, str(target)], folder=self._folder
            )
            if requirements:
                words = ["pip", "install", "--compile-bytecode", "--python", str(target / "bin" / "python")]
                self._uv.run([*words, "-r", str(requirements)], folder=stand_in.folder)
        except ImageError as error:
            words_of = requirements or f"Python {python}"
            raise type(error)(f"the environment of {stand_in.folder} cannot be made from {words_of}: {error}") from None


def _requirements(stand_in: StandIn) -> Path | None:
    path = stand_in.folder / (stand_in.requirements or _DEFAULT)
    if path.is_file():
        return path
    if stand_in.requirements:
        raise ImageError(f"{path} is not there: correct `requirements` of the stand-in, or leave it out")
    return None


def _key(stand_in: StandIn, requirements: Path | None) -> str:
    python = stand_in.python or f"{our_python()} {sys.version}"
    parts = [_FORMAT.encode(), python.encode(), platform.machine().encode(), _content(requirements)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:24]


def _content(requirements: Path | None) -> bytes:
    if requirements is None:
        return b""
    try:
        if requirements.stat().st_size > _LARGEST_REQUIREMENTS_BYTES:
            raise ImageError(f"{requirements} is larger than {_LARGEST_REQUIREMENTS_BYTES >> 20} MiB")
        return requirements.read_bytes()
    except OSError as error:
        raise ImageError(f"{requirements} cannot be read: {error.strerror}") from error


def _base_prefix(environment: Path) -> str:
    """Where the Python lies that an environment leads to: its `home` is the folder of the program."""
    lines = (environment / "pyvenv.cfg").read_text().splitlines()
    home = next(line.partition("=")[2].strip() for line in lines if line.partition("=")[0].strip() == "home")
    return str(Path(home).parent)
