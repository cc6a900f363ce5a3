"""What comes out of a job that has ended well: its artifacts are stored, its parameters and its last words read."""

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

from mooring.artifacts.errors import ArtifactError, NoRoom
from mooring.artifacts.transfers import Transfers
from mooring.controllers.errands import JobFailed
from mooring.controllers.job_workspaces import JobWorkspaces
from mooring.domain.containers import from_json, to_json
from mooring.domain.jobs import JobOrder, JobResult, OutputArtifact, OutputParameter
from mooring.runtimes.base import Runtime
from mooring.services import artifact_urls
from mooring.services.artifact_urls import Location
from mooring.store.database import Database
from mooring.store.tables import Job
from mooring.store.vault import Vault

LARGEST_VALUE_BYTES = 256 * 1024
"""Of an output parameter, and of what a script prints."""
_BEGINNING, _END = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


def has_products(order: JobOrder) -> bool:
    """Whether there is anything to do here."""
    return bool(order.outputs or order.parameters or order.wants_result)


@dataclass(frozen=True)
class JobStoring:
    """Usable from many threads."""

    database: Database
    vault: Vault
    runtime: Runtime
    transfers: Transfers
    workspaces: JobWorkspaces

    def store(self, job_id: str) -> None:
        """Store and read all of it. Slow; may be repeated. Raises what `Errands` knows."""
        with self.workspaces.held(job_id):
            if self.workspaces.stored_result(job_id) is not None:
                return
            order, places = self._needs(job_id)
            folder = self.workspaces.empty_folder(job_id, "outputs")
            parameters = {
                each.name: self._value(job_id, each, folder / f"parameter-{number}")
                for number, each in enumerate(order.parameters)
            }
            artifacts = dict(self._store_artifacts(job_id, order, places, folder))
            result = self._printed(job_id) if order.wants_result else ""
            document: dict[str, Any] = to_json(JobResult(parameters, artifacts, result))
            self.workspaces.note_stored(job_id, document)

    def _needs(self, job_id: str) -> tuple[JobOrder, dict[str, Location]]:
        with self.database.reading() as session:
            job = session.get_one(Job, job_id)
            group, order = job.execution.resource_group, from_json(JobOrder, job.order)
            places = {each.name: artifact_urls.locate(session, self.vault, group, each.url) for each in order.outputs}
        return order, places

    def _store_artifacts(
        self, job_id: str, order: JobOrder, places: dict[str, Location], folder: Path
    ) -> Iterator[tuple[str, str]]:
        for number, output in enumerate(order.outputs):
            source = folder / f"{number}" / (Path(output.path).name or "output")
            source.parent.mkdir(mode=0o700)
            if self._collected(job_id, output, source):
                self._store(output, places[output.name], source)
                yield output.name, output.url

    def _collected(self, job_id: str, output: OutputArtifact, source: Path) -> bool:
        try:
            if self.runtime.collect(job_id, output.path, source):
                return True
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoRoom(f"there is no room to take over the output {output.name!r}: free the disk") from error
            raise JobFailed(f"the output {output.name!r} at {output.path} cannot be taken over: {error}") from error
        if output.optional:
            return False
        raise JobFailed(f"has left nothing at {output.path}, where the output artifact {output.name!r} should lie")

    def _store(self, output: OutputArtifact, place: Location, source: Path) -> None:
        try:
            self.transfers.store(place.group, place.access, place.key, source, pack=output.pack)
        except ArtifactError as error:
            raise type(error)(f"the output {output.name!r} cannot be stored at {output.url}: {error}") from error

    def _value(self, job_id: str, wanted: OutputParameter, file: Path) -> str:
        if not self.runtime.collect(job_id, wanted.path, file):
            if wanted.default is not None:
                return wanted.default
            raise JobFailed(f"has left nothing at {wanted.path}, where the output parameter {wanted.name!r} should lie")
        if not file.is_file() or file.stat().st_size > LARGEST_VALUE_BYTES:
            raise JobFailed(
                f"the output parameter {wanted.name!r} at {wanted.path} is no file of at most {LARGEST_VALUE_BYTES} "
                "bytes: hand over an artifact instead"
            )
        return _checked(file.read_bytes(), f"the output parameter {wanted.name!r} at {wanted.path}").rstrip("\n")

    def _printed(self, job_id: str) -> str:
        """The end of what it has printed."""
        lines = self.runtime.logs(job_id, start=_BEGINNING, end=_END, newest_first=True)
        sizes = _Budget(LARGEST_VALUE_BYTES)
        printed = (line.message for line in lines if line.stream == "stdout")
        kept = list(takewhile(sizes.takes, printed))
        text = "\n".join(line.rstrip("\n") for line in reversed(kept)).strip()
        return _checked(text.encode(), "what it has printed, which others use as its result,")


def _checked(value: bytes, what: str) -> str:
    """Without zero bytes: no argument or variable can hold them, and not every database. Raises JobFailed."""
    if b"\0" in value:
        raise JobFailed(f"{what} holds a zero byte: write text, or hand over an artifact instead")
    return value.decode(errors="replace")


@dataclass
class _Budget:
    left: int

    def takes(self, line: str) -> bool:
        self.left -= len(line.encode()) + 1
        return self.left >= 0
