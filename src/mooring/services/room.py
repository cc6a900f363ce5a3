"""Whether there is room for one more revision: what is needed, what there is. Asked before anything is touched."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from mooring.domain.lifecycle import Status, TargetStatus
from mooring.domain.resource_plans import RESOURCE_PLANS
from mooring.domain.revisions import ContainerServerSpec, RevisionSpec, RevisionState
from mooring.errors import NoRoom
from mooring.store.database import Database
from mooring.store.tables import Deployment, Replica, Revision

_STARTING = RevisionState.STARTING.value
_HELD = (_STARTING, RevisionState.SERVING.value, RevisionState.STANDBY.value)
_ON_THE_WAY = (Status.UNKNOWN.value, Status.PENDING.value)


@dataclass(frozen=True)
class Limits:
    """What the operator's settings say. A replica that was never measured is taken to need `unmeasured_bytes`, or as
    much as its resource plan allows when that is less."""

    reserve_bytes: int = 0
    unmeasured_bytes: int = 0
    group_replicas: int | None = None


@dataclass(frozen=True)
class Room:
    """What there is at one moment: free memory of the machine, and what a replica of the deployment uses. None for what
    is not known, and then it refuses nothing."""

    limits: Limits = field(default_factory=Limits)
    free_bytes: int | None = None
    replica_bytes: int | None = None

    def require(self, session: Session, group: str, spec: RevisionSpec, deployment_id: str | None = None) -> None:
        """Raises NoRoom when the revision does not fit beside what runs. `deployment_id`: whose change it is."""
        plan, replicas = _size(spec)
        if self.limits.group_replicas is not None:
            there = _replicas(session, deployment_id, Deployment.resource_group == group)
            self._require_replicas(group, replicas, there, self.limits.group_replicas)
        if self.free_bytes is not None:
            starting = _replicas(
                session, deployment_id, Deployment.status.in_(_ON_THE_WAY), Revision.state == _STARTING
            )
            self._require_memory(plan, replicas, starting, self.free_bytes)

    def _require_replicas(self, group: str, wanted: int, there: int, most: int) -> None:
        if there + wanted > most:
            raise NoRoom(
                f"the resource group {group!r} may have {most} replicas (group_replicas), {there} are there and "
                f"{wanted} more would be needed (a change needs the old and the new for a moment). Nothing was "
                "changed: stop a deployment, or ask the operator for more"
            )

    def _require_memory(self, plan: str, replicas: int, starting: int, free: int) -> None:
        most = RESOURCE_PLANS[plan].memory_bytes
        each = min(most, self.replica_bytes or self.limits.unmeasured_bytes)
        coming = starting * self.limits.unmeasured_bytes
        if replicas * each + coming + self.limits.reserve_bytes > free:
            raise NoRoom(
                f"this machine has no memory for it: {replicas} replica(s) of {_mib(each)} are needed, and "
                f"{_mib(coming)} by what is starting; {_mib(free)} are free, of which "
                f"{_mib(self.limits.reserve_bytes)} are kept (memory_reserve_bytes). Nothing was changed: stop a "
                "deployment, or give the machine more"
            )


UNLIMITED = Room()
"""Where nobody looks."""


@dataclass(frozen=True)
class Rooms:
    """Looks how much room there is. `free_bytes` and `used_by` (a replica's id) answer None when they do not know."""

    limits: Limits = field(default_factory=Limits)
    free_bytes: Callable[[], int | None] = lambda: None
    used_by: Callable[[str], int | None] = lambda _: None

    def look(self, database: Database, deployment_id: str | None = None) -> Room:
        """Outside of any transaction: measuring takes a moment."""
        free = self.free_bytes()
        used = [self.used_by(each) for each in _ready_replicas(database, deployment_id)] if free is not None else []
        return Room(self.limits, free, max((each for each in used if each), default=None))


def _replicas(session: Session, changed_id: str | None, *conditions: ColumnElement[bool]) -> int:
    """How many have their place, or will have it soon. What a change of `changed_id` ends at once does not count."""
    query = (
        select(Deployment.id, Revision.state, Revision.spec)
        .join(Revision, Revision.deployment_id == Deployment.id)
        .where(Deployment.target_status == TargetStatus.RUNNING.value, Revision.state.in_(_HELD), *conditions)
    )
    return sum(
        spec.get("min_replicas", 1)
        for id_, state, spec in session.execute(query)
        if not (id_ == changed_id and state == _STARTING)
    )


def _ready_replicas(database: Database, deployment_id: str | None) -> list[str]:
    if deployment_id is None:
        return []
    query = (
        select(Replica.id)
        .join(Deployment, Deployment.serving_revision_id == Replica.revision_id)
        .where(Deployment.id == deployment_id, Replica.ready_at.is_not(None), Replica.ended_at.is_(None))
    )
    with database.reading() as session:
        return list(session.scalars(query))


def _size(spec: RevisionSpec) -> tuple[str, int]:
    """Its resource plan, and how many replicas it has."""
    if isinstance(spec, ContainerServerSpec):
        return spec.container.resource_plan, spec.min_replicas
    return spec.resource_plan, 1


def plan_of(spec: Mapping[str, Any]) -> str:
    """The resource plan of a spec as it is kept in the store."""
    return str(spec.get("resource_plan") or spec["container"]["resource_plan"])


def _mib(size: int) -> str:
    return f"{size >> 20} MiB"
