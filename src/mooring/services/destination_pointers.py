"""Where a destination leads as far as we lead there: to deployments of one resource group, or out of here."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from mooring.domain.destinations import Place, Pointer
from mooring.domain.lifecycle import Status, TargetStatus
from mooring.errors import Conflict, InvalidRequest
from mooring.services import destination_properties as rules
from mooring.store.tables import Deployment, Replica

_STAYS = TargetStatus.RUNNING.value


def of(session: Session, properties: Mapping[str, str]) -> Pointer | None:
    """None when the URL names no deployment of ours.

    Raises InvalidRequest when canary and mirror cannot be had beside it: what one group is asked must not become
    known to another.
    """
    target = rules.place(properties)
    deployment = session.get(Deployment, target.deployment_id) if target else None
    if target is None or deployment is None:
        for key in (rules.CANARY_URL, rules.MIRROR_URL):
            if key in properties:
                raise InvalidRequest(f"{key}: needs a URL that is a deployment of this installation, which URL is not")
        return None
    group = deployment.resource_group
    return Pointer(
        resource_group=group,
        deployment_id=target.deployment_id,
        path=target.path,
        canary_id=_beside(session, properties, rules.CANARY_URL, target, group),
        percent=rules.percent(properties, rules.CANARY_PERCENT),
        mirror_id=_beside(session, properties, rules.MIRROR_URL, target, group),
        mirror_percent=rules.percent(properties, rules.MIRROR_PERCENT),
    )


def refuse_unserved(session: Session, name: str, url: str) -> None:
    """Before everybody is led there at once: raises Conflict when this is a deployment of ours that does not serve."""
    target = rules.place({"Type": "HTTP", "URL": url})
    if target is None:
        return
    deployment = session.get(Deployment, target.deployment_id)
    if deployment is None or not _answers(session, deployment):
        state = "was deleted" if deployment is None else f"is {deployment.status}{_on_its_way_out(deployment)}"
        raise Conflict(
            f"the destination {name!r} cannot be rolled back: its previous target, the deployment "
            f"{target.deployment_id!r}, {state} and would answer nothing; start it again, or PUT another URL"
        )


def _answers(session: Session, deployment: Deployment) -> bool:
    """Now, and as far as is known in a moment. One that is DEAD may serve on as it was before a change."""
    if deployment.serving_revision_id is None or deployment.target_status != _STAYS:
        return False
    ready = select(Replica.id).where(
        Replica.revision_id == deployment.serving_revision_id, Replica.ready_at.is_not(None), Replica.ended_at.is_(None)
    )
    return deployment.status != Status.DEAD.value or session.scalar(ready.limit(1)) is not None


def _on_its_way_out(deployment: Deployment) -> str:
    return "" if deployment.target_status == _STAYS else f" (to be {deployment.target_status})"


def _beside(session: Session, properties: Mapping[str, str], key: str, target: Place, group: str) -> str | None:
    if key not in properties:
        return None
    beside = rules.place(properties, key)
    deployment = session.get(Deployment, beside.deployment_id) if beside else None
    if beside is None or deployment is None or deployment.resource_group != group:
        raise InvalidRequest(f"{key}: must be a deployment of this installation, in the resource group of URL")
    if beside.path != target.path:
        raise InvalidRequest(f"{key}: must have the same path below its deployment as URL")
    if beside.deployment_id == target.deployment_id:
        raise InvalidRequest(f"{key}: is the deployment that URL names already; name another one, or leave it out")
    return beside.deployment_id
