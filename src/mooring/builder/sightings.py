"""In which registry each model was seen: what tells a deleted model from a registry that is another one."""

import json
import logging
from collections.abc import Collection
from pathlib import Path

from mooring.files import write_atomically

_log = logging.getLogger("mooring.builder")


class Sightings:
    """Kept in a file, if one is given, so that a restart forgets nothing. For one thread.

    Losing it is safe: a model that has vanished then counts as one of which nothing is known.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._seen_in = _read(file) if file else {}
        self._written = dict(self._seen_in)
        self._cannot_write = False

    def note(self, seen: Collection[str], identity: str | None, *, keep: Collection[str]) -> None:
        """These models are in the registry of this identity (None: it has none). Forget all but these and `keep`."""
        self._seen_in = {model: where for model, where in self._seen_in.items() if model in seen or model in keep}
        if identity is not None:
            self._seen_in |= dict.fromkeys(seen, identity)
        if self._file and self._seen_in != self._written:
            self._write(self._file)

    def was_in(self, model: str, identity: str | None) -> bool:
        """Whether the model was seen last in the registry of this identity."""
        return identity is not None and self._seen_in.get(model) == identity

    def _write(self, file: Path) -> None:
        try:
            write_atomically(file, json.dumps(self._seen_in, sort_keys=True).encode())
        except OSError as error:
            # A full disk must not end promotions; it is tried again in each round.
            if not self._cannot_write:
                _log.warning("%s cannot be written, so a restart would forget what it says: %s", file, error)
            self._cannot_write = True
        else:
            self._written = dict(self._seen_in)
            self._cannot_write = False


def _read(file: Path) -> dict[str, str]:
    try:
        document = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        _log.warning("%s cannot be read, models that have vanished meanwhile are kept: %s", file, error)
        return {}
    pairs = document.items() if isinstance(document, dict) else ()
    return {model: where for model, where in pairs if isinstance(where, str)}
