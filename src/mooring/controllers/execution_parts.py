"""All that works on executions, put together."""

from collections.abc import Callable
from dataclasses import dataclass

from mooring.artifacts.transfers import Transfers
from mooring.controllers.execution_records import ExecutionRecords
from mooring.controllers.execution_views import ExecutionViewer
from mooring.controllers.executions import ExecutionController, JobTools
from mooring.controllers.job_discarding import JobDiscarding
from mooring.controllers.job_errands import JobErrands
from mooring.controllers.job_launch import JobLaunch
from mooring.controllers.job_options import JobOptions
from mooring.controllers.job_preparation import JobPreparation
from mooring.controllers.job_queue import JobQueue
from mooring.controllers.job_storing import JobStoring
from mooring.controllers.job_upkeep import JobUpkeep
from mooring.controllers.job_workspaces import JobWorkspaces
from mooring.controllers.last_words import LastWords
from mooring.controllers.leases import Leases
from mooring.domain.execution_views import JobPolicy
from mooring.runtimes.base import Runtime
from mooring.store.database import Database
from mooring.store.tables import Execution
from mooring.store.vault import Vault


@dataclass(frozen=True)
class ExecutionParts:
    """The controller, and what is left to be tidied up behind it."""

    controller: ExecutionController
    upkeep: JobUpkeep


def execution_parts(
    database: Database,
    vault: Vault,
    runtime: Runtime,
    transfers: Transfers,
    leases: Leases[Execution],
    options: JobOptions,
    *,
    on_change: Callable[[], None],
) -> ExecutionParts:
    """`on_change` is told when work in the background has come to an end, or a place has become free."""
    workspaces = JobWorkspaces(options.workspaces, options.patience)
    errands = JobErrands.of_executions(on_change)
    queue = JobQueue(
        options.machine,
        options.at_once,
        is_prepared=lambda job_id: workspaces.prepared_image(job_id) is not None,
        is_troubled=lambda job_id: errands.preparing.state(job_id).trouble is not None,
    )
    tools = JobTools(
        preparation=JobPreparation(database, vault, runtime, transfers, workspaces),
        launch=JobLaunch(database, vault, runtime, workspaces, options),
        storing=JobStoring(database, vault, runtime, transfers, workspaces),
        discarding=JobDiscarding(database, vault, transfers),
        workspaces=workspaces,
        errands=errands,
    )
    controller = ExecutionController(
        leases=leases,
        viewer=ExecutionViewer(database, runtime, workspaces, errands, queue),
        records=ExecutionRecords(leases, queue, LastWords(runtime)),
        runtime=runtime,
        tools=tools,
        policy=JobPolicy(options.patience, execution_seconds=options.execution_seconds),
        on_free_place=on_change,
    )
    return ExecutionParts(controller, JobUpkeep(database, runtime, workspaces, errands))
