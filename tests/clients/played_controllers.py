"""What the controllers would do, done at once: every deployment and execution comes to where it is wanted."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from mooring.domain.identifiers import new_uuid
from mooring.domain.lifecycle import Status
from mooring.runtimes.base import LogLine
from mooring.store.tables import Artifact, Deployment, Execution, Replica
from mooring.store.types import utc_now
from tests.api.api_server import Server
from tests.clients.python_life.executions import COMPLETES


@dataclass
class PlayedControllers:
    """`wake` is for the server's context. Replicas write two lines; what is named COMPLETES makes an artifact."""

    server: Server | None = None

    def wake(self) -> None:
        assert self.server is not None
        with self.server.database.transaction() as session:
            for deployment in session.scalars(select(Deployment)):
                self._move_deployment(session, deployment)
            for execution in session.scalars(select(Execution)):
                _move_execution(session, execution)

    def _move_deployment(self, session: Session, row: Deployment) -> None:
        match row.target_status:
            case "DELETED":
                session.delete(row)
            case "STOPPED":
                row.status = Status.STOPPED.value
            case _ if row.status in (Status.UNKNOWN.value, Status.PENDING.value):
                self._start(row)

    def _start(self, row: Deployment) -> None:
        assert self.server is not None
        row.status, row.start_time = Status.RUNNING.value, utc_now()
        row.latest_running_configuration_id = row.configuration_id
        replica = Replica(id=new_uuid())
        row.revisions[-1].replicas.append(replica)
        now = utc_now()
        self.server.logs.lines[replica.id] = [
            LogLine(now - timedelta(seconds=2), "stdout", "starting"),
            LogLine(now - timedelta(seconds=1), "stdout", "ready"),
        ]


def _move_execution(session: Session, row: Execution) -> None:
    match row.target_status:
        case "DELETED":
            session.delete(row)
        case "STOPPED":
            row.status, row.completion_time = Status.STOPPED.value, utc_now()
        case _ if row.status == Status.UNKNOWN.value:
            row.status, row.start_time = Status.RUNNING.value, utc_now()
            if row.configuration_name == COMPLETES:
                row.status, row.completion_time = Status.COMPLETED.value, utc_now()
                session.add(_output_of(row))


def _output_of(row: Execution) -> Artifact:
    return Artifact(
        id=new_uuid(),
        resource_group=row.resource_group,
        scenario_id=row.scenario_id,
        execution_id=row.id,
        name="model",
        kind="model",
        url=f"ai://default/{row.id}/model",
    )
