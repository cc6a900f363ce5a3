"""Resource groups: the tenants of an installation."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session

from mooring.errors import InvalidRequest, NotFound
from mooring.services import labels as label_rules
from mooring.store.tables import Artifact, Configuration, Deployment, Labels, ResourceGroup
from mooring.store.text_search import contains

DEFAULT_GROUP = "default"


@dataclass(frozen=True)
class Filter:
    """Which resource groups are listed."""

    selectors: Sequence[label_rules.Selector] = ()
    search: str | None = None
    case_insensitive: bool = False


def require(session: Session, group: str) -> None:
    """Raises InvalidRequest when there is no such group: a header that names nothing is a wrong request."""
    if session.get(ResourceGroup, group) is None:
        raise InvalidRequest(
            f"the resource group {group!r} of the header AI-Resource-Group does not exist: "
            "create it with POST /v2/admin/resourceGroups"
        )


def create(session: Session, group: str, labels: Labels) -> ResourceGroup:
    """Make a group that can be used at once; an existing one is returned as it is."""
    label_rules.refuse_repeated_keys(labels)
    existing = session.get(ResourceGroup, group)
    if existing is not None:
        return existing
    created = ResourceGroup(id=group, labels=labels)
    session.add(created)
    session.flush()
    return created


def get(session: Session, group: str) -> ResourceGroup:
    """Raises NotFound."""
    found = session.get(ResourceGroup, group)
    if found is None:
        raise NotFound(f"there is no resource group {group!r}")
    return found


def list_all(session: Session, wanted: Filter) -> list[ResourceGroup]:
    """All groups that are asked for, newest first (there are few: pages are cut by the caller)."""
    query = select(ResourceGroup).order_by(ResourceGroup.created_at.desc(), ResourceGroup.id.desc())
    if wanted.search is not None:
        query = query.where(contains(ResourceGroup.id, wanted.search, case_insensitive=wanted.case_insensitive))
    return [row for row in session.scalars(query) if label_rules.hold(wanted.selectors, row.labels)]


def change_labels(session: Session, group: str, labels: Labels) -> None:
    """Replace the labels. Raises NotFound."""
    label_rules.refuse_repeated_keys(labels)
    get(session, group).labels = labels


def remove(session: Session, group: str) -> None:
    """Remove a group with its configurations and artifacts.

    Raises NotFound; InvalidRequest for `default` and for a group that still has deployments.
    """
    found = get(session, group)
    if group == DEFAULT_GROUP:
        raise InvalidRequest("the resource group 'default' cannot be deleted: it belongs to the installation")
    if session.scalar(select(_has(Deployment.resource_group == group))):
        raise InvalidRequest(f"the resource group {group!r} has deployments: stop and delete them first")
    session.execute(delete(Configuration).where(Configuration.resource_group == group))
    session.execute(delete(Artifact).where(Artifact.resource_group == group))
    session.delete(found)
    session.flush()


def _has(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(condition)
