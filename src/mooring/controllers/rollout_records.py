"""What is written down when a deployment goes back to what served before."""

from sqlalchemy.orm import Session

from mooring.domain.lifecycle import LONGEST_STATUS_MESSAGE, Status
from mooring.domain.revisions import RevisionState, from_json
from mooring.services import deployments
from mooring.store.tables import Configuration, Deployment, Revision
from mooring.store.types import utc_now


def record_return(session: Session, deployment: Deployment, good: Revision, failed: Revision, reason: str) -> None:
    """`failed` gives way to `good`, which serves already or is made to. If nothing newer is on its way, `good` is also
    what is wanted from now on. The reason stays with it for as long as it serves."""
    if deployment.serving_revision_id != good.id:
        good.state, good.switched_at = RevisionState.SERVING.value, None
        deployment.serving_revision_id = good.id
    failed.state, failed.reason = RevisionState.FAILED.value, reason
    good.returned = {
        "from_configuration_id": failed.configuration_id,
        "reason": reason,
        "at": utc_now().isoformat(),
    }
    newest = max(revision.number for revision in deployment.revisions)
    if failed.number == newest:
        good.number = newest + 1
        _want_again(session, deployment, good)


def message_of(revision: Revision | None) -> str:
    """What the status says while it serves: from what it has returned, if it has."""
    if revision is None or revision.returned is None:
        return ""
    failed, reason = revision.returned["from_configuration_id"], revision.returned["reason"]
    return f"configuration {failed} has failed, {revision.configuration_id} serves: {reason}"[:LONGEST_STATUS_MESSAGE]


def _want_again(session: Session, deployment: Deployment, good: Revision) -> None:
    """As after a change to its configuration, apart from `lastOperation`: that is what a client asked for."""
    deployment.configuration_id = good.configuration_id
    deployment.configuration_name = session.get_one(Configuration, good.configuration_id).name
    deployment.model_name = deployments.model_name(from_json(good.spec))
    deployment.status = (Status.RUNNING if good.switched_at else Status.PENDING).value
    deployment.status_message = message_of(good)
    deployment.modified_at = utc_now()
