"""What the replicas of a deployment, or the jobs of an execution, have written, merged by time."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from mooring.services import deployments, executions
from mooring.store.tables import Deployment, Job, Replica, Revision


class LogLine(Protocol):
    """One line that a replica wrote."""

    @property
    def timestamp(self) -> datetime: ...

    @property
    def stream(self) -> str: ...

    @property
    def message(self) -> str: ...


class ReplicaLogs(Protocol):
    """Where lines come from (`mooring.runtimes.base.Runtime.logs`): both ends included, sorted by time."""

    def __call__(self, run_id: str, /, *, start: datetime, end: datetime, newest_first: bool) -> Iterator[LogLine]: ...


@dataclass(frozen=True)
class Window:
    """Which lines: at most `top` between two moments, from the oldest on unless `newest_first`."""

    start: datetime
    end: datetime
    top: int
    newest_first: bool = False


@dataclass(frozen=True)
class ReplicaLine:
    """A line and the replica that wrote it."""

    replica_id: str
    line: LogLine


def replicas_of(session: Session, group: str, deployment_id: str) -> Sequence[str]:
    """The replicas of all revisions, oldest first. Raises NotFound."""
    exists = select(Deployment.id).where(Deployment.id == deployment_id, Deployment.resource_group == group)
    if session.scalar(exists) is None:
        raise deployments.not_found(group, deployment_id)
    query = select(Replica.id).join(Revision).where(Revision.deployment_id == deployment_id)
    return session.scalars(query.order_by(Replica.created_at, Replica.id)).all()


def jobs_of(session: Session, group: str, execution_id: str) -> Mapping[str, str]:
    """The jobs that run it or have run it, oldest first; for each, what clients know as its pod. Raises NotFound."""
    executions.get(session, group, execution_id)
    query = select(Job.id, Job.node, Job.attempt).where(Job.execution_id == execution_id)
    rows = session.execute(query.order_by(Job.created_at, Job.id))
    return {row.id: f"{execution_id}-{row.node}{f'({row.attempt})' if row.attempt else ''}" for row in rows}


def read(source: ReplicaLogs, replica_ids: Collection[str], window: Window) -> list[ReplicaLine]:
    """The lines of these replicas or jobs within the window. Slow (it reads files): no session may be open."""
    if window.start > window.end:
        return []
    streams = [_lines_of(source, replica_id, window) for replica_id in replica_ids]
    merged = merge(*streams, key=lambda item: item.line.timestamp, reverse=window.newest_first)
    return list(islice(merged, window.top))


def _lines_of(source: ReplicaLogs, replica_id: str, window: Window) -> Iterator[ReplicaLine]:
    lines = source(replica_id, start=window.start, end=window.end, newest_first=window.newest_first)
    return (ReplicaLine(replica_id, line) for line in lines)
