"""All controllers of one control plane, as one thing to start, wake and stop."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from mooring.artifacts.cache import ModelCache
from mooring.artifacts.transfers import Transfers
from mooring.controllers import replica_workspaces
from mooring.controllers.applications import ApplicationController
from mooring.controllers.deployments import DeploymentController
from mooring.controllers.execution_parts import execution_parts
from mooring.controllers.job_options import JobOptions
from mooring.controllers.launch import LaunchOptions
from mooring.controllers.leases import Leases
from mooring.controllers.loop import ControlLoop
from mooring.controllers.preparation import Preparations
from mooring.controllers.routing import Neighbours, Router
from mooring.controllers.schedule_loop import ScheduleLoop
from mooring.controllers.schedules import ScheduleController
from mooring.controllers.supplies import Storage, Supplies
from mooring.controllers.upkeep import Upkeep
from mooring.controllers.views import Viewer
from mooring.domain.views import Policy
from mooring.gateway.gateway import Gateway
from mooring.runtimes.base import Runtime
from mooring.store.database import Database
from mooring.store.tables import Deployment, Execution
from mooring.store.vault import Vault

_STOP_SECONDS = 10.0


@dataclass(frozen=True)
class ControllerOptions:
    """What the settings say about controlling."""

    policy: Policy
    launch: LaunchOptions
    jobs: JobOptions
    cache: ModelCache
    storage: Storage
    transfers: Transfers
    vault: Vault
    models_group: str
    token_lifetime: timedelta
    """A token that was taken back is refused by the gateway for so long; then it has run out."""
    steady_seconds: float
    lease_seconds: float
    catch_up: timedelta = timedelta(minutes=10)
    """The run of a schedule that was missed is made up for within this time."""
    keep_running: Sequence[Callable[[], None]] = ()
    """What else has to be started again when it has ended."""
    neighbours: Neighbours | None = None
    """The other control planes of the store, if there may be some."""


class Controllers:
    """The loops of deployments, executions, applications and schedules, and the upkeep."""

    def __init__(
        self,
        database: Database,
        runtime: Runtime,
        gateway: Gateway,
        applications: ApplicationController,
        options: ControllerOptions,
    ) -> None:
        supplies = Supplies(database, options.vault, runtime, options.cache, options.storage)
        self._preparations = Preparations(supplies.fetch, on_change=self.wake)
        self._router = Router(
            database,
            gateway,
            endpoint_of=runtime.endpoint,
            models_group=options.models_group,
            token_lifetime=options.token_lifetime,
            neighbours=options.neighbours,
        )
        viewer = Viewer(database, runtime, self._preparations, self._router.answers)
        self._leases = Leases(database, Deployment, seconds=options.lease_seconds)
        self._execution_leases = Leases(database, Execution, seconds=options.lease_seconds)
        controller = DeploymentController(
            leases=self._leases,
            viewer=viewer,
            runtime=runtime,
            router=self._router,
            preparations=self._preparations,
            policy=options.policy,
            launch_options=options.launch,
            vault=options.vault,
        )
        executions = execution_parts(
            database,
            options.vault,
            runtime,
            options.transfers,
            self._execution_leases,
            options.jobs,
            on_change=self._wake_executions,
        )
        self._execution_loop = ControlLoop(
            all_ids=executions.controller.all_ids,
            step=executions.controller.step,
            steady_seconds=options.steady_seconds,
        )
        self._loops: list[ControlLoop | ScheduleLoop] = [
            ControlLoop(all_ids=all_ids, step=step, steady_seconds=options.steady_seconds)
            for all_ids, step in (
                (viewer.all_ids, controller.step),
                (applications.due, applications.sync),
            )
        ]
        self._loops.append(self._execution_loop)
        self._loops.append(ScheduleLoop(ScheduleController(database, options.catch_up, on_start=self.wake)))
        self._upkeep = Upkeep(
            database,
            gateway,
            self._router,
            runtime,
            options.keep_running,
            [
                applications.tidy,
                executions.upkeep.tidy,
                partial(replica_workspaces.tidy, database, options.launch.workspaces),
            ],
        )
        self._started = False

    def start(self) -> None:
        """Bring the gateway in line with the store, then take over. Raises GatewayError."""
        self._router.publish()
        for loop in self._loops:
            loop.start()
        self._upkeep.start()
        self._started = True

    def wake(self) -> None:
        """A client has changed something: do not wait for the next look."""
        for loop in self._loops:
            loop.wake()

    def publish(self) -> None:
        """Bring the gateway in line with the store; returns once it is. Raises GatewayError."""
        self._router.publish()

    def _wake_executions(self) -> None:
        """Something of theirs has come to an end in the background: nobody else has to look."""
        self._execution_loop.wake()

    def is_ready(self) -> bool:
        """Whether what is asked for also gets done."""
        return self._started

    def stop(self) -> None:
        """Finish the steps that are under way; replicas and gateway go on."""
        self._started = False
        self._upkeep.stop(timeout_seconds=_STOP_SECONDS)
        for loop in self._loops:
            loop.stop(timeout_seconds=_STOP_SECONDS)
