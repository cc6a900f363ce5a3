"""From a recorded job to what the runtime starts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mooring.controllers.containers import container_spec, open_secrets
from mooring.controllers.job_options import JobOptions
from mooring.controllers.job_workspaces import JobWorkspaces
from mooring.domain.containers import Container, from_json
from mooring.domain.jobs import JobOrder
from mooring.domain.resource_plans import RESOURCE_PLANS
from mooring.runtimes.base import ContainerSpec, Limits, Mount, Runtime
from mooring.services.tracking_addresses import TrackedExecution, tracking_endpoint
from mooring.store.database import Database
from mooring.store.tables import Job
from mooring.store.vault import Vault

_SCRIPT = "/argo/staging/script"
"""Where Argo puts it, too."""


@dataclass(frozen=True)
class JobLaunch:
    """Makes containers of jobs that are prepared."""

    database: Database
    vault: Vault
    runtime: Runtime
    workspaces: JobWorkspaces
    options: JobOptions

    def spec(self, job_id: str, image: str) -> ContainerSpec:
        """Raises OSError; NotFound, InvalidRequest, CannotOpen for secrets that have changed since it was prepared."""
        with self.database.reading() as session:
            job = session.get_one(Job, job_id)
            order, execution = from_json(JobOrder, job.order), job.execution
            group, execution_id = execution.resource_group, execution.id
            secrets = open_secrets(session, self.vault, group, order.container)
        return container_spec(
            _with_script(order),
            secrets,
            image=image,
            workspace=self.workspaces.of(job_id),
            mounts=list(self._mounts(job_id, order)),
            outputs=[*(each.path for each in order.outputs), *(each.path for each in order.parameters)],
            env=self._environment(TrackedExecution(execution_id, group)),
            network=group,
            limits=self._limits(order.container),
            stop_grace_seconds=self.options.stop_grace_seconds,
        )

    def _mounts(self, job_id: str, order: JobOrder) -> Iterator[Mount]:
        for number, wanted in enumerate(order.inputs):
            yield Mount(self.workspaces.input(job_id, number), wanted.path, read_only=False)
        if order.script is not None:
            yield Mount(self.workspaces.script(job_id), _SCRIPT)

    def _environment(self, execution: TrackedExecution) -> dict[str, str]:
        """What every job of an execution finds. The endpoint is a secret: it permits to add metrics."""
        url = self.runtime.gateway_url(self.options.public_url)
        return {
            "AICORE_EXECUTION_ID": execution.id,
            "AICORE_TRACKING_ENDPOINT": tracking_endpoint(url, execution, self.vault),
            "AICORE_ARTIFACT_SIGNATURES": "{}",
        }

    def _limits(self, container: Container) -> Limits:
        plan = self.options.machine.share_of(RESOURCE_PLANS[container.resource_plan])
        return Limits(memory_bytes=plan.memory_bytes, open_files=self.options.open_files, cpus=plan.cpus)


def _with_script(order: JobOrder) -> Container:
    if order.script is None:
        return order.container
    return replace(order.container, args=(*(order.container.args or ()), _SCRIPT))
