"""How much of the past a deployment keeps: its last dead replicas with their logs, its last revisions."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mooring.domain.revisions import RevisionState
from mooring.store.tables import Replica, Revision

_DEAD_REPLICAS = 20
_RETIRED_REVISIONS = 20


def cut_history(session: Session, deployment_id: str) -> list[str]:
    """Remove the rows beyond the last twenty of each kind. Returns the replicas whose logs can go, too."""
    retired = session.scalars(
        select(Revision.id)
        .where(Revision.deployment_id == deployment_id, Revision.state == RevisionState.RETIRED.value)
        .order_by(Revision.number.desc())
        .offset(_RETIRED_REVISIONS)
    ).all()
    dead = session.scalars(
        select(Replica.id)
        .join(Revision)
        .where(Revision.deployment_id == deployment_id, Replica.forgotten.is_(True))
        .order_by(Replica.created_at.desc())
        .offset(_DEAD_REPLICAS)
    ).all()
    of_retired = session.scalars(select(Replica.id).where(Replica.revision_id.in_(retired))).all()
    gone = sorted({*dead, *of_retired})
    session.execute(delete(Replica).where(Replica.id.in_(gone)))
    session.execute(delete(Revision).where(Revision.id.in_(retired)))
    return gone
