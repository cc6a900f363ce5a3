"""What there is, against what there may be.

An installation is limited by its machine and not by a contract: the highest number stands for "as many as you like".
Limits that are held are: resource groups (a setting), replicas of a group (`services.room`), and secrets for all groups
(`services.generic_secrets`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from mooring.services.generic_secrets import ALL_GROUPS, MOST_OF_ALL_GROUPS
from mooring.services.room import plan_of
from mooring.store.tables import Deployment, Executable, Revision

UNLIMITED = 2**31 - 1
REPLICAS_PER_DEPLOYMENT = 1


@dataclass(frozen=True)
class DeploymentUsage:
    """A deployment, and the resource plan of its newest revision."""

    id: str
    resource_plan: str


def templates(session: Session) -> tuple[int, int]:
    """How many executables there are: deployable ones, and workflows."""
    query = select(Executable.deployable, func.count()).group_by(Executable.deployable)
    counts = {row[0]: row[1] for row in session.execute(query)}
    return counts.get(True, 0), counts.get(False, 0)


def most_secrets(scope: str) -> int:
    """How many generic secrets there may be in a scope."""
    return MOST_OF_ALL_GROUPS if scope == ALL_GROUPS else UNLIMITED


def deployments(session: Session, seen: frozenset[str] | None) -> Sequence[DeploymentUsage]:
    """The deployments of these resource groups (None stands for all), in the order in which they were made."""
    other = aliased(Revision)
    newest = select(func.max(other.number)).where(other.deployment_id == Deployment.id).scalar_subquery()
    query = (
        select(Deployment.id, Revision.spec)
        .join(Revision, Revision.deployment_id == Deployment.id)
        .where(Revision.number == newest)
        .order_by(Deployment.created_at, Deployment.id)
    )
    if seen is not None:
        query = query.where(Deployment.resource_group.in_(seen))
    return [DeploymentUsage(key, plan_of(spec)) for key, spec in session.execute(query)]
