"""Who gets a place next: resource groups take turns (`mooring.domain.job_turns`), as far as the machine takes jobs."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from mooring.domain.job_turns import WaitingJob, in_turn
from mooring.domain.jobs import JobState
from mooring.domain.lifecycle import Status, TargetStatus
from mooring.domain.resource_plans import DEFAULT_PLAN, RESOURCE_PLANS, Machine
from mooring.store.tables import Execution, Job
from mooring.store.types import utc_now

_NEAR = 6
"""So many jobs of the queue prepare themselves before it is their turn."""
_LOOKED_AT = 200
"""So many waiting jobs are looked at: of each group the first, then of each the second, and so on."""
_LOOKED_AT_OF_A_GROUP = 100
_PLAN = Job.order["container"]["resource_plan"].as_string()
_NOT_BEFORE = Job.order["not_before"].as_string()


@dataclass(frozen=True)
class Turns:
    """`near`: jobs that will soon have a place; `free`: those that can have one now.

    `executions` of those near, `restless` those of them for which there is something to be done until then.
    """

    near: frozenset[str] = frozenset()
    free: frozenset[str] = frozenset()
    executions: frozenset[str] = frozenset()
    restless: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Held:
    """A place that a running job has."""

    group: str
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
        held = [_Held(row.group, self._cpus(row.plan)) for row in session.execute(_running())]
        near = list(self._near(session, held, utc_now()))
        free = frozenset(self._free(near, held))
        return Turns(
            near=frozenset(job.id for job in near),
            free=free,
            executions=frozenset(job.execution_id for job in near),
            restless=frozenset(job.execution_id for job in near if job.id in free or not self.is_prepared(job.id)),
        )

    def _near(self, session: Session, held: Sequence[_Held], now: datetime) -> Iterator[WaitingJob]:
        """Those at the front; what is in trouble does not keep others from the front."""
        holds: Counter[str] = Counter()
        for place in held:
            holds[place.group] += place.cpus
        found = 0
        for job in in_turn(self._waiting(session, now), holds):
            found += not job.troubled
            yield job
            if found == _NEAR:
                return

    def _waiting(self, session: Session, now: datetime) -> Iterator[WaitingJob]:
        for row in session.execute(_waiting()):
            if row.not_before is None or datetime.fromisoformat(row.not_before) <= now:
                yield WaitingJob(
                    id=row.id,
                    execution_id=row.execution_id,
                    group=row.group,
                    cpus=self._cpus(row.plan),
                    since=row.since,
                    begun=row.begun == 0,
                    troubled=self.is_troubled(row.id),
                )

    def _free(self, near: Sequence[WaitingJob], held: Sequence[_Held]) -> Iterator[str]:
        running = [place.cpus for place in held]
        for job in near:
            if not self.is_prepared(job.id):
                continue
            if not self._has_room(running, job.cpus):
                return
            running.append(job.cpus)
            yield job.id

    def _has_room(self, running: list[int], cpus: int) -> bool:
        if self.at_once is not None:
            return len(running) < self.at_once
        return not running or sum(running) + cpus <= self.machine.cpus

    def _cpus(self, plan: str | None) -> int:
        return self.machine.share_of(RESOURCE_PLANS.get(plan or "", RESOURCE_PLANS[DEFAULT_PLAN])).cpus


def _waiting() -> Select[Any]:
    """The first of each group; what they want is read of those alone, for it lies in documents."""
    begun = case((Execution.status == Status.RUNNING.value, 0), else_=1)
    order = (begun, Execution.created_at, Execution.id, Job.created_at, Job.id)
    line = (
        select(
            Job.id.label("id"),
            Execution.resource_group.label("group"),
            Execution.created_at.label("since"),
            begun.label("begun"),
            func.row_number().over(partition_by=Execution.resource_group, order_by=order).label("number"),
        )
        .join(Execution)
        .where(Job.state == JobState.WAITING.value, Execution.target_status == TargetStatus.COMPLETED.value)
        .subquery()
    )
    first = (
        select(line)
        .where(line.c.number <= _LOOKED_AT_OF_A_GROUP)
        .order_by(line.c.number, line.c.since, line.c.id)
        .limit(_LOOKED_AT)
        .subquery()
    )
    return (
        select(
            *(Job.id, Job.execution_id, first.c.group, first.c.since, first.c.begun),
            *(_PLAN.label("plan"), _NOT_BEFORE.label("not_before")),
        )
        .join(first, first.c.id == Job.id)
        .order_by(first.c.number, first.c.since, first.c.id)
    )


def _running() -> Select[tuple[str, str | None]]:
    return (
        select(Execution.resource_group.label("group"), _PLAN.label("plan"))
        .join(Execution)
        .where(Job.state == JobState.RUNNING.value)
    )
