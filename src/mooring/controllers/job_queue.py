"""Whose turn it is: jobs get their places in the order in which their executions were made."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from mooring.domain.jobs import JobState
from mooring.domain.lifecycle import TargetStatus
from mooring.domain.resource_plans import DEFAULT_PLAN, RESOURCE_PLANS, Machine
from mooring.store.tables import Execution, Job
from mooring.store.types import utc_now

_NEAR = 6
"""So many jobs of the queue prepare themselves before it is their turn."""
_LOOKED_AT = 100
_PLAN = Job.order["container"]["resource_plan"].as_string()
_NOT_BEFORE = Job.order["not_before"].as_string()


@dataclass(frozen=True)
class Turns:
    """`near`: jobs (and their executions) that will soon have a place; `free`: those that can have one now."""

    near: frozenset[str]
    executions: frozenset[str]
    free: frozenset[str]


@dataclass(frozen=True)
class _Place:
    job_id: str
    execution_id: str
    cpus: int


@dataclass(frozen=True)
class JobQueue:
    """`at_once` jobs run at a time; without it, as many as the processors allow, and one at least.

    `is_prepared` tells whether a job could start; `is_troubled`, whether something keeps it from that for now.
    """

    machine: Machine
    at_once: int | None
    is_prepared: Callable[[str], bool]
    is_troubled: Callable[[str], bool]

    @property
    def words(self) -> str:
        """What those wait for whose turn it is not."""
        if self.at_once is not None:
            return f"waits for its turn: {self.at_once} jobs run at once (setting jobs_at_once)"
        return "waits for its turn: other jobs use the processors of this machine"

    def look(self, session: Session) -> Turns:
        """How it stands. A job that is prepared is not overtaken by one behind it; one that is not yet, is."""
        near = list(self._near(session, utc_now()))
        return Turns(
            near=frozenset(place.job_id for place in near),
            executions=frozenset(place.execution_id for place in near),
            free=frozenset(self._free(session, near)),
        )

    def _near(self, session: Session, now: datetime) -> Iterator[_Place]:
        """Those at the front; what is in trouble does not keep others from the front."""
        found = 0
        for row in session.execute(_waiting()):
            if row.not_before is not None and datetime.fromisoformat(row.not_before) > now:
                continue
            found += not self.is_troubled(row.id)
            yield _Place(row.id, row.execution_id, self._cpus(row.plan))
            if found == _NEAR:
                return

    def _free(self, session: Session, near: list[_Place]) -> Iterator[str]:
        running = [self._cpus(row.plan) for row in session.execute(_running())]
        for place in near:
            if not self.is_prepared(place.job_id):
                continue
            if not self._has_room(running, place.cpus):
                return
            running.append(place.cpus)
            yield place.job_id

    def _has_room(self, running: list[int], cpus: int) -> bool:
        if self.at_once is not None:
            return len(running) < self.at_once
        return not running or sum(running) + cpus <= self.machine.cpus

    def _cpus(self, plan: str | None) -> int:
        return self.machine.share_of(RESOURCE_PLANS.get(plan or "", RESOURCE_PLANS[DEFAULT_PLAN])).cpus


def _waiting() -> Select[tuple[str, str, str | None, str | None]]:
    return (
        select(Job.id, Job.execution_id, _PLAN.label("plan"), _NOT_BEFORE.label("not_before"))
        .join(Execution)
        .where(Job.state == JobState.WAITING.value, Execution.target_status == TargetStatus.COMPLETED.value)
        .order_by(Execution.created_at, Execution.id, Job.created_at, Job.id)
        .limit(_LOOKED_AT)
    )


def _running() -> Select[tuple[str | None]]:
    return select(_PLAN.label("plan")).where(Job.state == JobState.RUNNING.value)
