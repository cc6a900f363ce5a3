"""What a job needs on this machine before it can start: its image, its inputs, its script."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mooring.artifacts.errors import ArtifactError, NoRoom
from mooring.artifacts.transfers import Transfers
from mooring.controllers import job_places
from mooring.controllers.containers import image_request, open_secrets, registry_credentials
from mooring.controllers.job_workspaces import JobWorkspaces, open_for_all
from mooring.domain.containers import from_json
from mooring.domain.jobs import InputArtifact, JobOrder
from mooring.runtimes.base import ImageRequest, Runtime
from mooring.runtimes.room import why_not_begin
from mooring.services import artifact_urls
from mooring.services.artifact_urls import Location
from mooring.store.database import Database
from mooring.store.tables import Job
from mooring.store.vault import Vault


@dataclass(frozen=True)
class _Needs:
    order: JobOrder
    request: ImageRequest
    inputs: Sequence[tuple[InputArtifact, Location]]
    bound: frozenset[str] = field(default_factory=frozenset)
    """The urls that the configuration has bound."""


@dataclass(frozen=True)
class JobPreparation:
    """Usable from many threads."""

    database: Database
    vault: Vault
    runtime: Runtime
    transfers: Transfers
    workspaces: JobWorkspaces

    def prepare(self, job_id: str) -> None:
        """Have everything in the job's folder. Slow. Raises what `Errands` knows."""
        with self.workspaces.held(job_id) as folder:
            if self.workspaces.prepared_image(job_id) is not None:
                return
            if reason := why_not_begin(folder):
                raise NoRoom(reason)
            needs = self._needs(job_id)
            image = self.runtime.prepare(needs.request)
            self._fetch_inputs(job_id, needs)
            if needs.order.script is not None:
                self.workspaces.write_script(job_id, needs.order.script)
            self.workspaces.note_prepared(job_id, image)

    def _needs(self, job_id: str) -> _Needs:
        with self.database.reading() as session:
            job = session.get_one(Job, job_id)
            group, order = job.execution.resource_group, from_json(JobOrder, job.order)
            open_secrets(session, self.vault, group, order.container)  # one that is missing is told at once
            credentials = registry_credentials(session, self.vault, order.container)
            inputs = [(each, artifact_urls.locate(session, self.vault, group, each.url)) for each in order.inputs]
            bound = frozenset(job.execution.workflow.get("inputs", {}).values())
        return _Needs(order, image_request(order.container, credentials), inputs, bound)

    def _fetch_inputs(self, job_id: str, needs: _Needs) -> None:
        folder = self.workspaces.empty_folder(job_id, "inputs")
        for number, (wanted, location) in enumerate(needs.inputs):
            target = self.workspaces.input(job_id, number)
            try:
                self.transfers.fetch(location.group, location.access, location.key, target, unpack=wanted.unpack)
            except ArtifactError as error:
                raise type(error)(f"the input {wanted.name!r} ({wanted.url}) cannot be had: {error}") from error
            by_name = wanted.url in needs.bound
            if by_name and job_places.goes_into_a_folder(target, location.key, wanted.path, unpacked=wanted.unpack):
                job_places.put_into_a_folder(target, location.key)
            open_for_all(target)
            if wanted.mode is not None and target.is_file():
                target.chmod(wanted.mode)
        open_for_all(folder)
