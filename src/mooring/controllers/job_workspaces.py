"""The folder of each job: what it is given and what it has made lie there, until that is stored."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from mooring.artifacts import locks
from mooring.artifacts.deadline import Deadline
from mooring.files import remove_tree, write_atomically

_PREPARED = "prepared.json"
_STORED = "stored.json"
_FOR_ALL = 0o777
_READ_BY_ALL = 0o666
_SCRIPT_MODE = 0o755


@dataclass(frozen=True)
class JobWorkspaces:
    """All of them; several control planes may use the same ones."""

    folder: Path
    patience: timedelta

    def of(self, job_id: str) -> Path:
        return self.folder / job_id

    @contextmanager
    def held(self, job_id: str) -> Iterator[Path]:
        """The job's folder, for one at a time. Raises TookTooLong, OSError."""
        folder = self.of(job_id)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locks.exclusive(
            folder / "lock", Deadline.after(self.patience.total_seconds(), f"what the job {job_id} needs")
        ):
            yield folder

    def prepared_image(self, job_id: str) -> str | None:
        """What the runtime calls the job's image, once everything that the job needs is there."""
        found = _read(self.of(job_id) / _PREPARED)
        return None if found is None else str(found["image"])

    def note_prepared(self, job_id: str, image: str) -> None:
        _write(self.of(job_id) / _PREPARED, {"image": image})

    def stored_result(self, job_id: str) -> dict[str, Any] | None:
        """What came out of the job, once it is stored."""
        return _read(self.of(job_id) / _STORED)

    def note_stored(self, job_id: str, result: dict[str, Any]) -> None:
        _write(self.of(job_id) / _STORED, result)

    def empty_folder(self, job_id: str, name: str) -> Path:
        """A folder in the job's folder, without what an earlier try has left in it."""
        folder = self.of(job_id) / name
        remove(folder)
        folder.mkdir(mode=0o700)
        return folder

    def write_script(self, job_id: str, source: str) -> None:
        path = self.script(job_id)
        write_atomically(path, source.encode(), mode=_SCRIPT_MODE)

    def script(self, job_id: str) -> Path:
        return self.of(job_id) / "script"

    def input(self, job_id: str, number: int) -> Path:
        return self.of(job_id) / "inputs" / str(number)

    def remove(self, job_id: str) -> None:
        """Raises OSError."""
        remove(self.of(job_id))

    def job_ids(self) -> set[str]:
        """The jobs that have one."""
        return {path.name for path in self.folder.iterdir()} if self.folder.is_dir() else set()


def open_for_all(path: Path) -> None:
    """Whoever the container runs as can read and write it. Nobody else gets there: the home is open to us alone."""
    for parent, folders, files in os.walk(path):
        Path(parent).chmod(_FOR_ALL)
        for name in (*folders, *files):
            inner = Path(parent, name)
            if not inner.is_symlink():
                inner.chmod(inner.stat().st_mode | _READ_BY_ALL)
    if path.is_file():
        path.chmod(path.stat().st_mode | _READ_BY_ALL)


def remove(path: Path) -> None:
    """A folder that a program could write to, with its read-only folders. Raises OSError."""
    if path.exists():
        remove_tree(path)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return found


def _write(path: Path, document: dict[str, Any]) -> None:
    write_atomically(path, json.dumps(document).encode())
