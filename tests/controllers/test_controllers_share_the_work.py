"""Two controllers on one store do every thing once, also when they look at the same moment."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from mooring.controllers.deployments import DeploymentController
from mooring.controllers.launch import LaunchOptions
from mooring.controllers.leases import Leases
from mooring.controllers.preparation import Preparations
from mooring.controllers.supplies import Stock
from mooring.controllers.views import Viewer
from mooring.domain.revisions import RevisionSpec
from mooring.domain.views import Policy
from mooring.runtimes.base import LogLine, Observation, Phase, ReplicaSpec
from mooring.store.database import Database
from mooring.store.tables import Configuration, Deployment, Replica, Revision
from mooring.store.vault import KEY_BYTES, Vault

pytestmark = pytest.mark.slow
DEPLOYMENTS = 40
POLICY = Policy(
    start=timedelta(minutes=5),
    standby=timedelta(0),
    drain=timedelta(0),
    prepare=timedelta(minutes=5),
    silence=timedelta(minutes=2),
    crash_limit=5,
    crash_window=timedelta(minutes=10),
    dead=timedelta(days=7),
)
OPTIONS = LaunchOptions(
    open_files=64,
    stop_grace_seconds=1,
    request_seconds=1,
    max_request_bytes=1,
    journals=Path("/nowhere"),
    workspaces=Path("/nowhere"),
)


@dataclass
class Harbour:
    """A runtime without processes, which counts how often each replica was started. Shared, as folders are."""

    starts: Counter[str] = field(default_factory=Counter)
    lock: Any = field(default_factory=threading.Lock)

    def start(self, replica_id: str, _spec: ReplicaSpec) -> None:
        with self.lock:
            self.starts[replica_id] += 1

    def observe(self, replica_id: str) -> Observation:
        return Observation(Phase.READY if self.starts[replica_id] else Phase.ABSENT)

    def replicas(self) -> list[str]:
        return list(self.starts)

    def stop(self, replica_id: str) -> None:
        raise AssertionError(f"{replica_id} was stopped")

    def forget(self, replica_id: str) -> None:
        raise AssertionError(f"{replica_id} was forgotten")

    def endpoint(self, replica_id: str) -> Path:
        return Path("/nowhere") / replica_id

    def logs(self, replica_id: str, **_span: object) -> Iterator[LogLine]:
        raise AssertionError(f"the logs of {replica_id} were read")

    def logged(self) -> list[str]:
        return []

    def forget_logs(self, replica_id: str) -> None:
        raise AssertionError(f"the logs of {replica_id} were forgotten")


def fetch(_group: str, _spec: RevisionSpec, _known: Stock) -> Stock:
    """Every model is there."""
    return Stock(Path("/"))


class Signpost:
    """Publishes nowhere."""

    def publish(self) -> None:
        return


@pytest.fixture
def deployment_ids(database: Database, deployment_id: str) -> list[str]:
    """Forty that were just asked for; the first is the one that is there."""
    with database.transaction() as session:
        pattern = session.get_one(Revision, "v1").spec
        for number in range(1, DEPLOYMENTS):
            session.add(
                Deployment(
                    id=f"more{number}",
                    resource_group="default",
                    configuration_id=session.get_one(Configuration, "c1").id,
                    configuration_name="c1",
                    scenario_id="mooring",
                    executable_id="model-server",
                    status="UNKNOWN",
                    target_status="RUNNING",
                    last_operation="CREATE",
                    revisions=[
                        Revision(id=f"r{number}", number=1, configuration_id="c1", spec=pattern, state="starting")
                    ],
                )
            )
    return [deployment_id, *(f"more{number}" for number in range(1, DEPLOYMENTS))]


def controller(database: Database, harbour: Harbour) -> DeploymentController:
    runtime: Any = harbour
    preparations = Preparations(fetch, on_change=lambda: None)
    return DeploymentController(
        leases=Leases(database, Deployment, seconds=30),
        viewer=Viewer(database, runtime, preparations),
        runtime=runtime,
        router=Signpost(),  # type: ignore[arg-type]
        preparations=preparations,
        policy=POLICY,
        launch_options=OPTIONS,
        vault=Vault(bytes(KEY_BYTES)),
    )


def test_every_replica_is_there_once_and_started_once(database: Database, deployment_ids: list[str]) -> None:
    harbour, running = Harbour(), threading.Event()
    two = [controller(database, harbour), controller(database, harbour)]

    def work(number: int) -> None:
        """Both go through the same deployments in the same order: they meet all the time."""
        while not running.is_set():
            steady = [two[number].step(id_) for id_ in deployment_ids]
            if all(steady):
                running.set()

    with ThreadPoolExecutor(2) as pool:
        for worker in [pool.submit(work, number) for number in range(2)]:
            worker.result(timeout=120)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Replica)) == DEPLOYMENTS
        assert set(session.scalars(select(Deployment.status))) == {"RUNNING"}
    assert len(harbour.starts) == DEPLOYMENTS
    assert set(harbour.starts.values()) == {1}
