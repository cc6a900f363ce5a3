"""What a client can change about a deployment. Each change grows `generation`, so that a controller at work notices."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from mooring.domain.lifecycle import (
    LastOperation,
    Operation,
    Status,
    TargetStatus,
    changes_nothing,
    is_allowed,
    refusal,
)
from mooring.domain.revisions import RevisionSpec, to_json
from mooring.domain.rollouts import Rollout
from mooring.errors import InvalidRequest, PreconditionFailed
from mooring.services import bulk, deployments, rendering
from mooring.services.bulk import Outcome, Wish
from mooring.services.room import UNLIMITED, Room
from mooring.store.tables import Configuration, Deployment
from mooring.store.types import utc_now

_WORDS = {
    Operation.STOP: "stop",
    Operation.DELETE_DEPLOYMENT: "delete",
    Operation.CHANGE_CONFIGURATION: "change the configuration of",
}


@dataclass(frozen=True)
class Cascade:
    """What a changed template has done to deployments: how many are updated, and why others are not."""

    updated: int
    problems: Sequence[str]


def stop(session: Session, group: str, deployment_id: str) -> None:
    """Ask for the end of everything that runs. Final. Asking again changes nothing.

    Raises NotFound, PreconditionFailed.
    """
    _stop(deployments.get(session, group, deployment_id, to_change=True))


def delete(session: Session, group: str, deployment_id: str) -> None:
    """Ask for the removal; a controller removes the row when nothing runs any more. Asking again changes nothing.

    Raises NotFound, PreconditionFailed.
    """
    _delete(deployments.get(session, group, deployment_id, to_change=True))


def change_configuration(
    session: Session,
    group: str,
    deployment_id: str,
    configuration_id: str,
    *,
    rollout: Rollout | None = None,
    room: Room = UNLIMITED,
    local_folders: Sequence[Path] = (),
) -> None:
    """Add a revision with another configuration; what serves goes on until the new one is ready.

    With `rollout`, the new one is watched: if it fails, what serves now serves again, and is what is asked for.

    Raises NotFound, PreconditionFailed, InvalidRequest when the configuration does not fit or cannot be rendered, and
    NoRoom when both do not fit beside each other.
    """
    deployment = deployments.get(session, group, deployment_id, to_change=True)
    _require(Operation.CHANGE_CONFIGURATION, deployment)
    configuration = deployments.configuration_to_deploy(session, group, configuration_id)
    _refuse_misfit(deployment, configuration)
    spec = rendering.render(session, configuration, local_folders=local_folders)
    room.require(session, group, spec, deployment_id)
    _add_revision(deployment, configuration, spec, rollout)
    _point_to(deployment, configuration, LastOperation.UPDATE)


def cascade(session: Session, executable_id: str) -> Cascade:
    """Give the deployments of an executable that run what its changed template makes of their configurations.

    One whose configuration the new template cannot take stays as it is; so does one that it changes nothing for.
    """
    updated, problems = 0, []
    for deployment in _that_run(session, executable_id):
        try:
            updated += _render_anew(session, deployment)
        except InvalidRequest as error:
            problems.append(f"deployment {deployment.id} stays as it is: {error.message}")
    return Cascade(updated, problems)


def change_many(session: Session, group: str, wishes: Sequence[Wish]) -> list[Outcome]:
    """Stop or delete many; each is accepted or refused by itself. In the order of the wishes."""
    found = deployments.find_many(session, group, [wish.id for wish in wishes], to_change=True)
    return bulk.change_each(wishes, found, change=_change, not_found=partial(deployments.not_found, group))


def _change(deployment: Deployment, target: TargetStatus) -> None:
    if target is TargetStatus.DELETED:
        _delete(deployment)
    else:
        _stop(deployment)


def _stop(deployment: Deployment) -> None:
    if _is_under_way(Operation.STOP, deployment):
        return
    _require(Operation.STOP, deployment)
    _retarget(deployment, TargetStatus.STOPPED)


def _is_under_way(operation: Operation, deployment: Deployment) -> bool:
    return changes_nothing(operation, Status(deployment.status), TargetStatus(deployment.target_status))


def _delete(deployment: Deployment) -> None:
    if _is_under_way(Operation.DELETE_DEPLOYMENT, deployment):
        return
    _require(Operation.DELETE_DEPLOYMENT, deployment)
    deployment.last_operation = LastOperation.DELETE.value
    _retarget(deployment, TargetStatus.DELETED)


def _require(operation: Operation, deployment: Deployment) -> None:
    refused = refusal(operation, Status(deployment.status), TargetStatus(deployment.target_status))
    if refused is not None:
        raise PreconditionFailed(f"cannot {_WORDS[operation]} the deployment {deployment.id!r}{refused}")


def _refuse_misfit(deployment: Deployment, configuration: Configuration) -> None:
    wanted = (deployment.scenario_id, deployment.executable_id)
    if (configuration.scenario_id, configuration.executable_id) != wanted:
        raise InvalidRequest(
            f"configurationId {configuration.id!r} is for {configuration.executable_id!r} of the scenario "
            f"{configuration.scenario_id!r}, the deployment runs {wanted[1]!r} of {wanted[0]!r}: "
            "give a configuration of the same executable"
        )
    if configuration.id == deployment.configuration_id and deployment.status != Status.DEAD.value:
        raise InvalidRequest(
            f"configurationId {configuration.id!r} is what the deployment {deployment.id!r} has already: "
            "give another configuration"
        )


def _that_run(session: Session, executable_id: str) -> Sequence[Deployment]:
    """Also those that are not up yet, or have died: a better template may be what they need."""
    changeable = [status.value for status in Status if is_allowed(Operation.CHANGE_CONFIGURATION, status)]
    query = (
        select(Deployment)
        .where(
            Deployment.executable_id == executable_id,
            Deployment.target_status == TargetStatus.RUNNING.value,
            Deployment.status.in_([*changeable, Status.UNKNOWN.value]),
        )
        .options(selectinload(Deployment.revisions))
        .order_by(Deployment.id)  # in one order, against deadlocks
        .with_for_update()
    )
    return session.scalars(query).all()


def _render_anew(session: Session, deployment: Deployment) -> bool:
    """Whether that made a difference. Raises InvalidRequest."""
    configuration = session.get_one(Configuration, deployment.configuration_id)
    spec = rendering.render(session, configuration)
    newest = max(deployment.revisions, key=lambda revision: revision.number, default=None)
    if newest is not None and newest.spec == to_json(spec):
        return False
    _add_revision(deployment, configuration, spec)
    _point_to(deployment, configuration, LastOperation.CASCADE_UPDATE)
    return True


def _add_revision(
    deployment: Deployment, configuration: Configuration, spec: RevisionSpec, rollout: Rollout | None = None
) -> None:
    number = max((revision.number for revision in deployment.revisions), default=0) + 1
    deployment.revisions.append(deployments.new_revision(number, configuration, spec, rollout))
    deployment.model_name = deployments.model_name(spec)


def _point_to(deployment: Deployment, configuration: Configuration, operation: LastOperation) -> None:
    deployment.configuration_id = configuration.id
    deployment.configuration_name = configuration.name
    deployment.status = Status.PENDING.value
    deployment.status_message = ""
    deployment.last_operation = operation.value
    deployment.submission_time = utc_now()
    deployment.completion_time = None
    _retarget(deployment, TargetStatus.RUNNING)


def _retarget(deployment: Deployment, target: TargetStatus) -> None:
    now = utc_now()
    deployment.target_status = target.value
    deployment.generation += 1
    deployment.modified_at = now
