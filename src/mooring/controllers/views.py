"""A deployment as the decisions see it: rows of the store, joined with what the runtime observes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from mooring.controllers.preparation import Preparations
from mooring.controllers.supplies import Stock
from mooring.domain import rollouts
from mooring.domain.lifecycle import Status, TargetStatus
from mooring.domain.replicas import Observation, Phase
from mooring.domain.revisions import RevisionState
from mooring.domain.rollouts import Answers
from mooring.domain.views import DeploymentView, ReplicaView, RevisionView
from mooring.runtimes.base import Runtime
from mooring.services import ttl
from mooring.store.database import Database
from mooring.store.tables import Deployment, Replica, Revision
from mooring.store.types import utc_now

_ENDED = Observation(Phase.EXITED)


def _nothing_is_counted(_deployment_id: str, _revision_id: str) -> Answers:
    return Answers()


@dataclass(frozen=True)
class Look:
    """A view, and the generation of the deployment that it shows."""

    view: DeploymentView
    generation: int


class Viewer:
    """Looks at deployments."""

    def __init__(
        self,
        database: Database,
        runtime: Runtime,
        preparations: Preparations,
        answers: Callable[[str, str], Answers] = _nothing_is_counted,
    ) -> None:
        """`answers` tells what the revision of a deployment has answered since it serves."""
        self._database = database
        self._runtime = runtime
        self._preparations = preparations
        self._answers = answers
        self._silent_since: dict[str, datetime] = {}

    def look(self, deployment_id: str) -> Look | None:
        """The deployment now; None when it has been removed. Observing happens outside of any transaction."""
        with self._database.reading() as session:
            row = session.get(
                Deployment,
                deployment_id,
                options=[
                    selectinload(Deployment.revisions.and_(Revision.state != RevisionState.RETIRED.value)).selectinload(
                        Revision.replicas
                    )
                ],
            )
        if row is None:
            return None
        view = DeploymentView(
            status=Status(row.status),
            target=TargetStatus(row.target_status),
            serving_revision_id=row.serving_revision_id,
            revisions=tuple(self._revision(revision, row.revisions) for revision in row.revisions),
            status_message=row.status_message,
            expires_at=row.created_at + ttl.parse(row.ttl) if row.ttl else None,
            dead_since=row.modified_at if row.status == Status.DEAD.value else None,
        )
        return Look(view, row.generation)

    def all_ids(self) -> list[str]:
        """The deployments that may need something: all but the stopped ones that are to stay."""
        with self._database.reading() as session:
            statement = select(Deployment.id).where(
                (Deployment.status != Status.STOPPED.value) | (Deployment.target_status != TargetStatus.STOPPED.value)
            )
            return list(session.scalars(statement))

    def _revision(self, row: Revision, all_of_them: Sequence[Revision]) -> RevisionView:
        silence = row.spec.get("restart_after_seconds")
        return RevisionView(
            id=row.id,
            configuration_id=row.configuration_id,
            state=RevisionState(row.state),
            created_at=row.created_at,
            preparation=self._preparations.state(row.id, row.spec, Stock.noted(row)),
            switched_at=row.switched_at,
            released_at=row.released_at,
            replicas=tuple(self._replica(replica) for replica in row.replicas),
            min_replicas=row.spec.get("min_replicas", 1),
            silence=timedelta(seconds=silence) if silence else None,
            rollout=rollouts.from_json(row.rollout) if row.rollout else None,
            answers=self._answers(row.deployment_id, row.id) if _is_watched(row, all_of_them) else Answers(),
            reason=row.reason,
        )

    def _replica(self, row: Replica) -> ReplicaView:
        observation = _ENDED if row.ended_at else self._runtime.observe(row.id)
        return ReplicaView(
            id=row.id,
            created_at=row.created_at,
            observation=observation,
            silent_since=self._silence(row, observation),
            ready_at=row.ready_at,
            ended_at=row.ended_at,
            end_seen=row.end_seen,
            stop_requested=row.stop_requested_at is not None,
            forgotten=row.forgotten,
            reason=row.reason,
        )

    def _silence(self, row: Replica, observation: Observation) -> datetime | None:
        """Since when a replica that was ready has not answered; one look alone tells nothing, it may be busy."""
        if row.ready_at is None or observation.phase is not Phase.STARTING:
            self._silent_since.pop(row.id, None)
            return None
        return self._silent_since.setdefault(row.id, utc_now())


def _is_watched(row: Revision, all_of_them: Sequence[Revision]) -> bool:
    """Whether it matters what it answers: there is something to go back to."""
    if row.rollout is None or row.state != RevisionState.SERVING.value:
        return False
    return any(other.state == RevisionState.STANDBY.value for other in all_of_them)
