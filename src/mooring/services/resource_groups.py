"""Resource groups: the tenants of an installation."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mooring.domain.lifecycle import Status
from mooring.errors import InvalidRequest, NotFound
from mooring.services import clients
from mooring.services import labels as label_rules
from mooring.store.tables import (
    Artifact,
    Configuration,
    Deployment,
    Execution,
    ExecutionSchedule,
    GenericSecret,
    Labels,
    MetricResource,
    ObjectStoreSecret,
    ResourceGroup,
)
from mooring.store.text_search import contains

DEFAULT_GROUP = "default"
_ENDED = tuple(status.value for status in (Status.COMPLETED, Status.DEAD, Status.STOPPED))
_Removed = ExecutionSchedule | Execution | MetricResource | ObjectStoreSecret | Configuration | Artifact
_REMOVED_TOGETHER: tuple[type[_Removed], ...] = (
    ExecutionSchedule,
    Execution,
    MetricResource,
    ObjectStoreSecret,
    Configuration,
    Artifact,
)
"""What refers to others comes before them."""


@dataclass(frozen=True)
class Filter:
    """Which resource groups are listed."""

    selectors: Sequence[label_rules.Selector] = ()
    search: str | None = None
    case_insensitive: bool = False
    seen: frozenset[str] | None = None
    """Only these; None stands for all."""


def require(session: Session, group: str) -> None:
    """Raises InvalidRequest when there is no such group: a header that names nothing is a wrong request."""
    if session.get(ResourceGroup, group) is None:
        raise InvalidRequest(
            f"the resource group {group!r} of the header AI-Resource-Group does not exist: "
            "create it with POST /v2/admin/resourceGroups"
        )


def create(session: Session, group: str, labels: Labels, *, most: int) -> ResourceGroup:
    """Make a group that can be used at once; an existing one is returned as it is.

    Raises InvalidRequest when there are `most` groups already.
    """
    label_rules.refuse_repeated_keys(labels)
    existing = session.get(ResourceGroup, group)
    if existing is not None:
        return existing
    if count(session) >= most:
        raise InvalidRequest(
            f"there are {most} resource groups already: the setting max_resource_groups allows no more"
        )
    # Somebody else may make it at this moment: then theirs is found below.
    with suppress(IntegrityError), session.begin_nested():
        session.add(ResourceGroup(id=group, labels=labels))
    return session.get_one(ResourceGroup, group)


def get(session: Session, group: str) -> ResourceGroup:
    """Raises NotFound."""
    found = session.get(ResourceGroup, group)
    if found is None:
        raise no_such_group(group)
    return found


def no_such_group(group: str) -> NotFound:
    """What is said of a group that is not there, and of one that the caller may not know of."""
    return NotFound(f"there is no resource group {group!r}")


def count(session: Session, seen: frozenset[str] | None = None) -> int:
    """How many there are, of those that may be seen."""
    query = select(func.count()).select_from(ResourceGroup)
    return session.scalar(query if seen is None else query.where(ResourceGroup.id.in_(seen))) or 0


def list_all(session: Session, wanted: Filter) -> list[ResourceGroup]:
    """All groups that are asked for, newest first (there are few: pages are cut by the caller)."""
    query = select(ResourceGroup)
    if wanted.seen is not None:
        query = query.where(ResourceGroup.id.in_(wanted.seen))
    if wanted.search is not None:
        query = query.where(contains(ResourceGroup.id, wanted.search, case_insensitive=wanted.case_insensitive))
    found = [row for row in session.scalars(query) if label_rules.hold(wanted.selectors, row.labels)]
    # Sorted here, for databases have orders of their own for texts, and pages are cut by ours.
    return sorted(found, key=lambda row: (row.created_at, row.id), reverse=True)


def every_id(session: Session) -> list[str]:
    """The ids of all groups, in their order."""
    return list(session.scalars(select(ResourceGroup.id).order_by(ResourceGroup.id)))


def change_labels(session: Session, group: str, labels: Labels) -> None:
    """Replace the labels. Raises NotFound."""
    label_rules.refuse_repeated_keys(labels)
    get(session, group).labels = labels


def remove(session: Session, group: str) -> None:
    """Remove a group with everything in it. (Its files are not in the store: `datasets.ObjectStores.forgetting`.)

    Raises NotFound; InvalidRequest for `default` and for a group that still has something running or to be run.
    """
    found = session.get(ResourceGroup, group, with_for_update=True)
    if found is None:
        raise no_such_group(group)
    if group == DEFAULT_GROUP:
        raise InvalidRequest("the resource group 'default' cannot be deleted: it belongs to the installation")
    if session.scalar(select(_has(Deployment.resource_group == group))):
        raise InvalidRequest(f"the resource group {group!r} has deployments: stop and delete them first")
    if session.scalar(select(_has(Execution.resource_group == group, Execution.status.not_in(_ENDED)))):
        raise InvalidRequest(f"the resource group {group!r} has executions that have not ended: stop them first")
    for table in _REMOVED_TOGETHER:
        session.execute(delete(table).where(table.resource_group == group))
    session.execute(delete(GenericSecret).where(GenericSecret.scope == group))
    clients.leave_group(session, group)
    session.delete(found)
    session.flush()


def _has(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(*conditions)
