"""Python environments of stand-ins: made once per content of their requirements, complete or absent."""

import hashlib
import json
import logging
import os
import platform
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mooring.domain.stand_ins import StandIn
from mooring.files import remove_tree, write_atomically
from mooring.runtimes.base import ImageAway, ImageError
from mooring.runtimes.process import lock
from mooring.runtimes.sandbox import requirements
from mooring.runtimes.sandbox.building import Building
from mooring.runtimes.sandbox.filesystem import interpreter_folders, our_python
from mooring.runtimes.sandbox.uv import Uv

_FORMAT = "1"
_FACTS = "mooring.json"
_logger = logging.getLogger("mooring.runtimes.sandbox")


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and the prefix of the Python that it needs."""

    key: str
    folder: Path
    base_prefix: str


class Environments:
    """Those below `folder`. `uv_cache` holds what was fetched; `seconds` bounds the making of one.

    `hidden`: folders of which builds see nothing, wherever a stand-in may lie.
    """

    def __init__(self, folder: Path, uv_cache: Path, seconds: float, hidden: Sequence[Path] = ()) -> None:
        self._folder = folder
        self._hidden = tuple(hidden)
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

    def prepare(self, stand_in: StandIn, isolation: Sequence[str] | None) -> Environment:
        """Make it unless it is there; two at once make it once. Raises ImageError, ImageAway.

        `isolation` is what bubblewrap offers; None: packages are built without a sandbox.
        """
        wanted = requirements.find(stand_in)
        key = _key(stand_in, requirements.read(wanted, stand_in.folder) if wanted else b"")
        if found := self.find(key):
            return found
        try:
            return self._make_alone(key, _Order(stand_in, wanted, isolation))
        except OSError as error:
            raise ImageAway(f"the environment of {stand_in.folder} cannot be made: {error}") from error

    def _make_alone(self, key: str, order: "_Order") -> Environment:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._uv.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = lock.take_within(self._folder / f".{key}.lock", timeout_seconds=self._seconds)
        if held is None:
            raise ImageAway(f"the environment of {order.stand_in.folder} is still being made by somebody else")
        try:
            return self.find(key) or self._make(key, order)
        finally:
            os.close(held)

    def _make(self, key: str, order: "_Order") -> Environment:
        unfinished = self._folder / f".{key}.making"
        if unfinished.exists():
            remove_tree(unfinished)
        began, source = time.monotonic(), order.stand_in.folder
        _logger.info("making the environment of %s (%s)", source, order.requirements or "no requirements")
        try:
            base_prefix = self._fill(unfinished, order)
            facts = {"base_prefix": base_prefix, "requirements": str(order.requirements or "")}
            write_atomically(unfinished / _FACTS, json.dumps(facts).encode())
            unfinished.rename(self._folder / key)
        except BaseException:
            with suppress(OSError):  # then it is removed before the next try
                remove_tree(unfinished)
            raise
        _logger.info("made the environment of %s in %.1f s", source, time.monotonic() - began)
        return Environment(key, self._folder / key, base_prefix)

    def _fill(self, target: Path, order: "_Order") -> str:
        """Returns the prefix of its Python: that of before somebody else's programs could write to it."""
        python = order.stand_in.python or our_python()
        try:
            # Relocatable, because it is seen at another path inside. Without the cache, to which builds can write.
            words = ["venv", "--relocatable", "--no-project", "--no-cache", "--python", python, str(target)]
            self._uv.run(words, folder=self._folder)
            base_prefix = _base_prefix(target)
            if order.requirements:
                self._install(target, order, base_prefix)
        except ImageError as error:
            made_from = order.requirements or f"Python {python}"
            words_of = f"the environment of {order.stand_in.folder} cannot be made from {made_from}"
            raise type(error)(f"{words_of}: {error}") from None
        return base_prefix

    def _install(self, target: Path, order: "_Order", base_prefix: str) -> None:
        folder = order.stand_in.folder.absolute()
        building = None
        if order.isolation is not None:
            read = [folder, *interpreter_folders(base_prefix)]
            building = Building(order.isolation, read, [target, self._uv.cache], self._hidden)
        words = ["pip", "install", "--compile-bytecode", "--python", str(target / "bin" / "python")]
        self._uv.run([*words, "-r", str(order.requirements)], folder=folder, building=building)


@dataclass(frozen=True)
class _Order:
    stand_in: StandIn
    requirements: Path | None
    isolation: Sequence[str] | None


def _key(stand_in: StandIn, content: bytes) -> str:
    python = stand_in.python or f"{our_python()} {sys.version}"
    parts = [_FORMAT.encode(), python.encode(), platform.machine().encode(), content]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:24]


def _base_prefix(environment: Path) -> str:
    """Where the Python lies that an environment leads to: its `home` is the folder of the program."""
    lines = (environment / "pyvenv.cfg").read_text().splitlines()
    home = next(line.partition("=")[2].strip() for line in lines if line.partition("=")[0].strip() == "home")
    return str(Path(home).parent)
