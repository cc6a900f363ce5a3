"""Deployments: what is served under one URL. A controller does the work; here lies what was asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, selectinload

from mooring.domain import rollouts
from mooring.domain.identifiers import new_deployment_id, new_revision_id
from mooring.domain.lifecycle import LastOperation, Status, TargetStatus
from mooring.domain.revisions import ModelServerSpec, RevisionSpec, RevisionState, to_json
from mooring.domain.rollouts import Rollout
from mooring.errors import InvalidRequest, NotFound
from mooring.services import configurations, rendering, resource_groups, ttl
from mooring.services.paging import ListedRow, Page
from mooring.services.room import UNLIMITED, Room
from mooring.store.tables import Configuration, Deployment, Revision

_LISTED = (
    Deployment.id,
    Deployment.configuration_id,
    Deployment.configuration_name,
    Deployment.executable_id,
    Deployment.scenario_id,
    Deployment.status,
    Deployment.status_message,
    Deployment.target_status,
    Deployment.last_operation,
    Deployment.latest_running_configuration_id,
    Deployment.ttl,
    Deployment.created_at,
    Deployment.modified_at,
    Deployment.submission_time,
    Deployment.start_time,
    Deployment.completion_time,
)


@dataclass(frozen=True)
class NewDeployment:
    """What a client gives."""

    configuration_id: str
    ttl: str | None = None
    rollout: Rollout | None = None


@dataclass(frozen=True)
class Filter:
    """Which deployments are listed; None asks for all."""

    scenario_id: str | None = None
    configuration_id: str | None = None
    executable_ids: Sequence[str] | None = None
    status: str | None = None


def create(
    session: Session,
    group: str,
    new: NewDeployment,
    *,
    room: Room = UNLIMITED,
    local_folders: Sequence[Path] = (),
) -> Deployment:
    """Record a deployment and its first revision; a controller starts it.

    Raises InvalidRequest, naming the field, and NoRoom.
    """
    resource_groups.require(session, group)
    if new.ttl is not None:
        ttl.parse(new.ttl)
    configuration = configuration_to_deploy(session, group, new.configuration_id)
    spec = rendering.render(session, configuration, local_folders=local_folders)
    room.require(session, group, spec)
    created = Deployment(
        id=new_deployment_id(),
        resource_group=group,
        configuration_id=configuration.id,
        configuration_name=configuration.name,
        scenario_id=configuration.scenario_id,
        executable_id=configuration.executable_id,
        status=Status.UNKNOWN.value,
        target_status=TargetStatus.RUNNING.value,
        last_operation=LastOperation.CREATE.value,
        ttl=new.ttl,
        model_name=model_name(spec),
        revisions=[new_revision(1, configuration, spec, new.rollout)],
    )
    session.add(created)
    session.flush()
    return created


def configuration_to_deploy(session: Session, group: str, configuration_id: str) -> Configuration:
    """Raises InvalidRequest (the id comes in a body, so that it is the request that is wrong)."""
    found = configurations.find(session, group, configuration_id)
    if found is None:
        raise InvalidRequest(
            f"configurationId {configuration_id!r} is no configuration of the resource group {group!r}: "
            "GET /v2/lm/configurations lists them"
        )
    return found


def new_revision(
    number: int, configuration: Configuration, spec: RevisionSpec, rollout: Rollout | None = None
) -> Revision:
    """A revision that waits to be started."""
    return Revision(
        id=new_revision_id(),
        number=number,
        configuration_id=configuration.id,
        spec=to_json(spec),
        rollout=rollouts.to_json(rollout) if rollout else None,
        state=RevisionState.STARTING.value,
    )


def model_name(spec: RevisionSpec) -> str | None:
    """Under which name below `/models/` it is served; None for a server of the user's own."""
    return spec.model_name if isinstance(spec, ModelServerSpec) else None


def get(session: Session, group: str, deployment_id: str, *, to_change: bool = False) -> Deployment:
    """A deployment with its revisions. Raises NotFound, also for one of another group."""
    found = find_many(session, group, [deployment_id], to_change=to_change).get(deployment_id)
    if found is None:
        raise not_found(group, deployment_id)
    return found


def find_many(session: Session, group: str, ids: Sequence[str], *, to_change: bool = False) -> dict[str, Deployment]:
    """Those of the given deployments that exist in the group, with their revisions, in two queries.

    With `to_change`, nobody else changes them until the transaction ends (on SQLite that holds anyway).
    """
    query = select(Deployment).where(Deployment.resource_group == group, Deployment.id.in_(ids))
    query = query.options(selectinload(Deployment.revisions))
    if to_change:
        query = query.order_by(Deployment.id).with_for_update()  # in one order, against deadlocks
    return {row.id: row for row in session.scalars(query)}


def not_found(group: str, deployment_id: str) -> NotFound:
    """The same words for a deployment that never was and for one of another group."""
    return NotFound(f"there is no deployment {deployment_id!r} in the resource group {group!r}")


def list_of(session: Session, group: str, wanted: Filter, page: Page) -> Sequence[ListedRow]:
    """The deployments of a group that are asked for, newest first: plain rows with the columns' names."""
    resource_groups.require(session, group)
    query = select(*_LISTED).where(*_conditions(group, wanted))
    return session.execute(page.of(query, Deployment.created_at, Deployment.id)).all()


def count(session: Session, group: str, wanted: Filter) -> int:
    """How many `list_of` would find without a page."""
    resource_groups.require(session, group)
    query = select(func.count()).select_from(Deployment).where(*_conditions(group, wanted))
    return session.scalar(query) or 0


def _conditions(group: str, wanted: Filter) -> Iterator[ColumnElement[bool]]:
    yield Deployment.resource_group == group
    exact = (
        (Deployment.scenario_id, wanted.scenario_id),
        (Deployment.configuration_id, wanted.configuration_id),
        (Deployment.status, wanted.status),
    )
    yield from (column == value for column, value in exact if value is not None)
    if wanted.executable_ids is not None:
        yield Deployment.executable_id.in_(wanted.executable_ids)
