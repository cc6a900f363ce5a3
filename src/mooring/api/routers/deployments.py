"""Deployments: create, look at, change, delete."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from mooring.api import answers
from mooring.api.comma_lists import split_ids
from mooring.api.dependencies import Context, DeploymentId, Group, PageOfList, ScenarioFilter, Select
from mooring.api.long_lists import Rows, long_list
from mooring.api.presenters import deployments as present
from mooring.api.rollout_header import WantedRollout
from mooring.api.schemas import deployments as shapes
from mooring.api.schemas.common import ID_PATTERN, Deletion, Done
from mooring.domain.lifecycle import Status
from mooring.services import deployment_changes, deployments
from mooring.services.deployments import Filter, NewDeployment
from mooring.services.paging import Page
from mooring.services.room import UNLIMITED

PATH = "/v2/lm/deployments"
router = APIRouter(prefix=PATH, tags=["Deployment"])


async def _filter(
    scenario_id: ScenarioFilter = None,
    configuration_id: Annotated[str | None, Query(alias="configurationId", pattern=ID_PATTERN)] = None,
    executable_ids: Annotated[list[str] | None, Query(alias="executableIds")] = None,
    status: Status | None = None,
) -> Filter:
    return Filter(
        scenario_id=scenario_id,
        configuration_id=configuration_id,
        executable_ids=split_ids(executable_ids, "executableIds"),
        status=status.value if status else None,
    )


Wanted = Annotated[Filter, Depends(_filter)]


@router.get("", response_model=shapes.DeploymentList)
def list_deployments(
    context: Context, group: Group, wanted: Wanted, page: PageOfList, select: Select = None
) -> Response:
    """The deployments of a resource group, newest first."""

    def find(session: Session, part: Page) -> Rows:
        return deployments.list_of(session, group, wanted, part)

    def show(_session: Session, rows: Rows) -> list[dict[str, Any]]:
        if select:
            return [present.status_only(row) for row in rows]
        return [present.deployment(row, context.public_url) for row in rows]

    return long_list(context.database, page, find, show)


@router.post("", status_code=202, response_model=shapes.DeploymentCreated)
def create_deployment(
    context: Context, group: Group, body: shapes.DeploymentCreate, rollout: WantedRollout
) -> Response:
    """Ask for a deployment; the configuration is checked at once, the start takes its time."""
    new = NewDeployment(body.configuration_id, body.ttl, rollout)
    room = context.rooms.look(context.database)
    with context.database.transaction() as session:
        made = deployments.create(session, group, new, room=room, local_folders=context.local_model_folders)
    context.wake()
    shown = {
        "id": made.id,
        "message": "Deployment scheduled.",
        "deploymentUrl": present.url(context.public_url, made),
        "status": made.status,
        "ttl": made.ttl,
    }
    return answers.created(f"{PATH}/{made.id}", shown, 202)


@router.get("/$count", response_model=int)
def count_deployments(context: Context, group: Group, wanted: Wanted) -> Response:
    """How many deployments there are."""
    with context.database.reading() as session:
        return answers.number(deployments.count(session, group, wanted))


@router.get("/{deploymentId}", response_model=shapes.Deployment)
def get_deployment(context: Context, group: Group, deployment_id: DeploymentId, select: Select = None) -> Response:
    """One deployment."""
    with context.database.reading() as session:
        row = deployments.get(session, group, deployment_id)
    if select:
        return answers.json(present.status_only_with_details(row))
    return answers.json(present.with_status_details(row, context.public_url))


@router.patch("/{deploymentId}", status_code=202, response_model=Done)
def modify_deployment(
    context: Context, group: Group, deployment_id: DeploymentId, body: shapes.DeploymentModify, rollout: WantedRollout
) -> Response:
    """Give a deployment another configuration, under the same URL; or stop it."""
    room = context.rooms.look(context.database, deployment_id) if body.configuration_id else UNLIMITED
    with context.database.transaction() as session:
        if body.configuration_id is None:
            deployment_changes.stop(session, group, deployment_id)
        else:
            deployment_changes.change_configuration(
                session,
                group,
                deployment_id,
                body.configuration_id,
                rollout=rollout,
                room=room,
                local_folders=context.local_model_folders,
            )
    context.wake()
    return answers.accepted(deployment_id, "Deployment modification scheduled")


@router.delete("/{deploymentId}", status_code=202, response_model=Deletion)
def delete_deployment(context: Context, group: Group, deployment_id: DeploymentId) -> Response:
    """Remove a deployment that does not run any more."""
    with context.database.transaction() as session:
        deployment_changes.delete(session, group, deployment_id)
    context.wake()
    return answers.accepted(deployment_id, "Deletion scheduled", targetStatus="DELETED")
