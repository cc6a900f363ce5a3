"""Starts the executions of schedules, each due time once: who moves `next_run_at` on, starts the execution with it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from mooring.domain.schedules import Turn, next_turn, turn
from mooring.errors import MooringError
from mooring.services import execution_schedules, executions
from mooring.store.database import Database
from mooring.store.tables import ExecutionSchedule
from mooring.store.types import utc_now

_AT_ONCE = 100
_logger = logging.getLogger("mooring.controllers.schedules")


@dataclass(frozen=True)
class _Due:
    """A schedule, and the moment at which it was due when it was looked at."""

    id: str
    at: datetime


@dataclass(frozen=True)
class ScheduleController:
    """A run that was missed is made up for within `catch_up`. `on_start` is told that there are new executions."""

    database: Database
    catch_up: timedelta
    on_start: Callable[[], None]
    now: Callable[[], datetime] = utc_now
    _complaints: dict[str, str] = field(default_factory=dict)

    def plan_unplanned(self) -> None:
        """Work out when those are due that were made before schedules were started at all."""
        waiting = ExecutionSchedule.next_run_at.is_(None) & ExecutionSchedule.suspended.is_(False)
        with self.database.transaction() as session:
            for schedule in session.scalars(select(ExecutionSchedule).where(waiting)):
                execution_schedules.plan_next_run(schedule)

    def run_due(self) -> timedelta | None:
        """Start what is due. Returns the time until the next one is; None when there is none."""
        due = self._due()
        # Not `any`: each of them has its turn.
        if [each for each in due if self._take_turn(each)]:
            self.on_start()
        return self._until_next()

    def _due(self) -> list[_Due]:
        columns = (ExecutionSchedule.id, ExecutionSchedule.next_run_at)
        is_due = ExecutionSchedule.next_run_at <= self.now()
        query = select(*columns).where(is_due).order_by(ExecutionSchedule.next_run_at, ExecutionSchedule.id)
        with self.database.reading() as session:
            return [_Due(id_, at) for id_, at in session.execute(query.limit(_AT_ONCE)) if at is not None]

    def _until_next(self) -> timedelta | None:
        with self.database.reading() as session:
            first = session.scalar(select(func.min(ExecutionSchedule.next_run_at)))
        return None if first is None else max(timedelta(0), first - self.now())

    def _take_turn(self, due: _Due) -> bool:
        """Whether an execution was started."""
        try:
            with self.database.transaction() as session:
                started = self._start(session, due)
        except (OperationalError, InterfaceError):
            raise  # the store is away: nothing has happened, and this turn comes again
        except MooringError as error:
            self._complain(due.id, error.message)
        except Exception:  # one schedule's trouble must not stop the others, and not come again at once
            _logger.exception("schedule %s: its execution could not be started", due.id)
        else:
            self._complaints.pop(due.id, None)
            return started
        with self.database.transaction() as session:
            self._move_on(session, due)
        return False

    def _start(self, session: Session, due: _Due) -> bool:
        """In one transaction with moving on: neither is there without the other."""
        schedule = _still_due(session, due)
        if schedule is None:
            return False
        verdict = turn(schedule.cron, due.at, self.now(), schedule.end, self.catch_up)
        if verdict is Turn.RUN:
            group, configuration_id = schedule.resource_group, schedule.configuration_id
            started = executions.create(session, group, configuration_id, schedule_id=schedule.id)
            _logger.info("schedule %s: started the execution %s", due.id, started.id)
        elif verdict is Turn.SKIP:
            _logger.warning(
                "schedule %s: left out the run of %s, which was missed by more than schedule_catch_up_seconds (%g)",
                *(due.id, due.at.isoformat(), self.catch_up.total_seconds()),
            )
        self._move_on(session, due)
        return verdict is Turn.RUN

    def _move_on(self, session: Session, due: _Due) -> None:
        schedule = _still_due(session, due)
        now = self.now()
        if schedule is not None and due.at <= now:
            schedule.next_run_at = next_turn(schedule.cron, due.at, now, schedule.start, schedule.end)

    def _complain(self, schedule_id: str, problem: str) -> None:
        """Once per problem, not once per run."""
        if self._complaints.get(schedule_id) == problem:
            return
        self._complaints[schedule_id] = problem
        _logger.warning(
            "schedule %s: its configuration cannot be run, it goes on all the same: %s", schedule_id, problem
        )


def _still_due(session: Session, due: _Due) -> ExecutionSchedule | None:
    """The schedule, unless it is gone, has had its turn elsewhere, or its owner has changed it."""
    schedule = session.get(ExecutionSchedule, due.id, with_for_update=True)
    return schedule if schedule is not None and schedule.next_run_at == due.at else None
