"""A schedule starts one execution per due time: whoever looks, however often, and whatever its clock does."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import OperationalError

from mooring.controllers.schedule_loop import ScheduleLoop
from mooring.controllers.schedules import ScheduleController
from mooring.services import configurations, execution_schedule_changes, execution_schedules
from mooring.services.configurations import NewConfiguration
from mooring.services.execution_schedule_changes import Changes
from mooring.services.execution_schedules import NewSchedule, ScheduleStatus
from mooring.store.database import Database
from mooring.store.tables import Executable, Execution, ExecutionSchedule
from tests.builder.conftest import eventually

GROUP = "default"
CATCH_UP = timedelta(minutes=10)
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@dataclass
class Clock:
    """What the controller takes for now; what was started is counted."""

    time: datetime = NOON
    started: list[datetime] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.time

    def note_start(self) -> None:
        self.started.append(self.time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def controller(database: Database, clock: Clock) -> ScheduleController:
    return ScheduleController(database, CATCH_UP, clock.note_start, clock)


@pytest.fixture
def configuration(database: Database) -> str:
    with database.transaction() as session:
        facts = {"scenario_id": "mooring", "name": "Training", "version_id": "1", "deployable": False, "labels": []}
        nothing: dict[str, list[str]] = {"parameters": [], "input_artifacts": [], "output_artifacts": []}
        session.execute(insert(Executable).values(id="train", **facts, **nothing))
        return configurations.create(session, GROUP, NewConfiguration("nightly", "mooring", "train")).id


@contextmanager
def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> Iterator[None]:
    """What clients ask for, they ask for at this moment."""
    with monkeypatch.context() as patched:
        for module in (execution_schedules, execution_schedule_changes):
            patched.setattr(module, "utc_now", lambda: moment)
        yield


@dataclass
class Schedules:
    """Made and changed as by clients, at the clock's time."""

    database: Database
    configuration: str
    clock: Clock
    monkeypatch: pytest.MonkeyPatch

    def new(self, cron: str, start: datetime | None = None, end: datetime | None = None) -> str:
        with at(self.monkeypatch, self.clock.time), self.database.transaction() as session:
            new = NewSchedule("nightly", cron, self.configuration, start, end)
            return execution_schedules.create(session, GROUP, new).id

    def change(self, schedule_id: str, changes: Changes) -> None:
        with at(self.monkeypatch, self.clock.time), self.database.transaction() as session:
            execution_schedule_changes.change(session, GROUP, schedule_id, changes)

    def next(self, schedule_id: str) -> datetime | None:
        with self.database.reading() as session:
            return session.get_one(ExecutionSchedule, schedule_id).next_run_at

    def runs(self, schedule_id: str) -> int:
        with self.database.reading() as session:
            query = select(Execution.id).where(Execution.execution_schedule_id == schedule_id)
            return len(session.scalars(query).all())


@pytest.fixture
def schedules(database: Database, configuration: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Schedules:
    return Schedules(database, configuration, clock, monkeypatch)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def test_each_due_time_has_its_execution(schedules: Schedules, controller: ScheduleController, clock: Clock) -> None:
    made = schedules.new("*/5 * * * *")
    assert controller.run_due() == minutes(5)
    for number in range(1, 4):
        clock.time = NOON + minutes(5 * number)
        assert controller.run_due() == minutes(5)
        assert controller.run_due() == minutes(5)
        assert schedules.runs(made) == number
    assert len(clock.started) == 3, "others are told of new executions, and only then"


@pytest.mark.parametrize(
    ("cron", "away", "runs", "next_after"),
    [
        ("*/5 * * * *", minutes(5), 1, minutes(10)),
        ("*/5 * * * *", minutes(14), 1, minutes(15)),
        ("*/5 * * * *", minutes(60 * 24 * 365), 1, minutes(60 * 24 * 365 + 5)),
        ("30 * * * *", minutes(39), 1, minutes(90)),
        ("30 * * * *", minutes(41), 0, minutes(90)),
        ("30 * * * *", minutes(60 * 24 + 29), 0, minutes(60 * 24 + 30)),
        ("30 * * * *", minutes(60 * 24 + 35), 1, minutes(60 * 25 + 30)),
    ],
)
def test_what_was_missed_counts_as_one_run_or_none(
    schedules: Schedules,
    controller: ScheduleController,
    clock: Clock,
    cron: str,
    away: timedelta,
    runs: int,
    next_after: timedelta,
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = schedules.new(cron)
    clock.time = NOON + away
    with caplog.at_level(logging.INFO, "mooring"):
        controller.run_due()
    assert (schedules.runs(made), schedules.next(made)) == (runs, NOON + next_after)
    assert (f"schedule {made}: left out the run" in caplog.text) == (runs == 0)


@pytest.mark.parametrize("back", [minutes(1), minutes(4), minutes(60 * 24)])
def test_a_clock_that_is_set_back_runs_nothing_twice(
    schedules: Schedules, controller: ScheduleController, clock: Clock, back: timedelta
) -> None:
    made = schedules.new("*/5 * * * *")
    clock.time = fired = NOON + minutes(5)
    controller.run_due()
    clock.time = fired - back
    for _ in range(2):
        assert controller.run_due() == back + minutes(5)
    clock.time = fired
    controller.run_due()
    assert schedules.runs(made) == 1
    clock.time = fired + minutes(5)
    controller.run_due()
    assert schedules.runs(made) == 2


def test_what_is_suspended_runs_nothing_and_catches_nothing_up(
    schedules: Schedules, controller: ScheduleController, clock: Clock
) -> None:
    made = schedules.new("*/5 * * * *")
    schedules.change(made, {"status": ScheduleStatus.INACTIVE})
    clock.time = NOON + minutes(6)
    assert controller.run_due() is None
    schedules.change(made, {"status": ScheduleStatus.ACTIVE})
    controller.run_due()
    assert schedules.runs(made) == 0
    clock.time = NOON + minutes(10)
    controller.run_due()
    assert schedules.runs(made) == 1


@pytest.mark.parametrize(
    ("changes", "next_after"),
    [
        ({"cron": "20 * * * *"}, minutes(20)),
        ({"start": NOON + minutes(7)}, minutes(10)),
        ({"end": NOON + minutes(4)}, None),
        ({"start": NOON + minutes(60), "end": NOON + minutes(61)}, minutes(60)),
        ({"status": ScheduleStatus.INACTIVE}, None),
        ({"cron": "*/5 * * * *", "status": ScheduleStatus.ACTIVE}, minutes(5)),
    ],
)
def test_a_change_counts_from_now_on(schedules: Schedules, changes: Changes, next_after: timedelta | None) -> None:
    made = schedules.new("*/5 * * * *")
    schedules.change(made, changes)
    assert schedules.next(made) == (None if next_after is None else NOON + next_after)


def test_a_change_that_changes_nothing_of_it_does_not_swallow_what_is_due(
    schedules: Schedules, controller: ScheduleController, clock: Clock, configuration: str
) -> None:
    made = schedules.new("*/5 * * * *")
    clock.time = NOON + minutes(5)
    schedules.change(made, {"configuration_id": configuration, "cron": "*/5 * * * *", "status": ScheduleStatus.ACTIVE})
    controller.run_due()
    assert schedules.runs(made) == 1


@pytest.mark.parametrize(
    ("looked_at", "runs"), [(minutes(5), 1), (minutes(5.5), 1), (minutes(7), 0)], ids=["in time", "a moment", "late"]
)
def test_the_end_belongs_to_it_and_nothing_after(
    schedules: Schedules, controller: ScheduleController, clock: Clock, looked_at: timedelta, runs: int
) -> None:
    made = schedules.new("*/5 * * * *", end=NOON + minutes(5))
    clock.time = NOON + looked_at
    assert controller.run_due() is None
    assert (schedules.runs(made), schedules.next(made)) == (runs, None)


def test_nothing_runs_before_the_start(schedules: Schedules, controller: ScheduleController, clock: Clock) -> None:
    made = schedules.new("*/5 * * * *", start=NOON + minutes(12))
    clock.time = NOON + minutes(14.9)
    controller.run_due()
    assert schedules.runs(made) == 0
    clock.time = NOON + minutes(15)
    controller.run_due()
    assert schedules.runs(made) == 1


def test_of_many_that_look_one_starts_it(schedules: Schedules, database: Database, clock: Clock) -> None:
    made = schedules.new("*/5 * * * *")
    clock.time = NOON + minutes(5)
    together = threading.Barrier(6)

    def look() -> None:
        other = ScheduleController(database, CATCH_UP, clock.note_start, clock)
        due = other._due()
        together.wait(10)
        assert [each.id for each in due] == [made]
        other._take_turn(due[0])

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert schedules.runs(made) == 1


def test_who_dies_before_the_end_of_the_transaction_has_started_nothing(
    schedules: Schedules, controller: ScheduleController, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = schedules.new("*/5 * * * *")
    clock.time = NOON + minutes(5)

    def die(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ScheduleController, "_move_on", die)
        with pytest.raises(KeyboardInterrupt):
            controller.run_due()
    assert schedules.runs(made) == 0
    controller.run_due()
    assert schedules.runs(made) == 1


def test_what_cannot_be_run_is_told_once_and_stops_nothing(
    schedules: Schedules,
    controller: ScheduleController,
    database: Database,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = schedules.new("*/5 * * * *")
    with database.transaction() as session:
        row = session.get_one(Executable, "train")
        kept = {name: getattr(row, name) for name in row.__table__.columns.keys()}  # noqa: SIM118 - not a dict
        session.execute(delete(Executable).where(Executable.id == "train"))
    for number in range(1, 4):
        clock.time = NOON + minutes(5 * number)
        assert controller.run_due() == minutes(5)
    told = [record for record in caplog.records if "cannot be run" in record.message]
    assert len(told) == 1
    assert made in told[0].message
    assert "'train' of the configuration" in told[0].message
    with database.transaction() as session:
        session.execute(insert(Executable).values(**kept))
    clock.time = NOON + minutes(20)
    controller.run_due()
    assert schedules.runs(made) == 1


def test_one_that_breaks_stops_no_other(
    schedules: Schedules,
    controller: ScheduleController,
    clock: Clock,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken, good = schedules.new("*/5 * * * *"), schedules.new("*/5 * * * *")
    with database.transaction() as session:
        session.execute(update(ExecutionSchedule).where(ExecutionSchedule.id == broken).values(cron="what"))
    clock.time = NOON + minutes(5)
    controller.run_due()
    assert (schedules.runs(broken), schedules.runs(good)) == (0, 1)
    assert schedules.next(broken) is None, "what nobody can read is never due again, until it is changed"


def test_what_was_made_before_there_were_schedules_is_planned_at_the_start(
    schedules: Schedules, controller: ScheduleController, database: Database
) -> None:
    made, suspended = schedules.new("*/5 * * * *"), schedules.new("*/5 * * * *")
    schedules.change(suspended, {"status": ScheduleStatus.INACTIVE})
    with database.transaction() as session:
        session.execute(update(ExecutionSchedule).values(next_run_at=None))
    controller.plan_unplanned()
    assert schedules.next(made) is not None
    assert schedules.next(suspended) is None


@dataclass
class _Counted:
    """Looks of a loop."""

    until_next: timedelta | None
    looks: int = 0

    def plan_unplanned(self) -> None:
        self.looks = 0

    def run_due(self) -> timedelta | None:
        self.looks += 1
        return self.until_next


@contextmanager
def looping(counted: _Counted, longest: timedelta) -> Iterator[ScheduleLoop]:
    loop = ScheduleLoop(counted, longest=longest)  # type: ignore[arg-type]
    loop.start()
    try:
        yield loop
    finally:
        loop.stop(timeout_seconds=10)


@pytest.mark.parametrize("until_next", [None, timedelta(hours=1)])
def test_at_rest_the_loop_looks_only_when_woken(until_next: timedelta | None) -> None:
    counted = _Counted(until_next)
    with looping(counted, timedelta(hours=1)) as loop:
        eventually(lambda: counted.looks == 1)
        loop.wake()
        eventually(lambda: counted.looks == 2)
    assert counted.looks == 2


@pytest.mark.parametrize(
    ("until_next", "longest"),
    [(timedelta(milliseconds=10), timedelta(hours=1)), (timedelta(hours=1), timedelta(milliseconds=10))],
    ids=["due", "the clock may have been set"],
)
def test_the_loop_looks_when_it_is_time(until_next: timedelta, longest: timedelta) -> None:
    counted = _Counted(until_next)
    with looping(counted, longest):
        eventually(lambda: counted.looks >= 5)


def test_a_store_that_is_away_is_survived(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(_Counted):
        def run_due(self) -> timedelta | None:
            super().run_due()
            raise OperationalError("SELECT", {}, OSError("away"))

    counted = Failing(None)
    with looping(counted, timedelta(hours=1)) as loop:
        eventually(lambda: counted.looks == 1)
        loop.wake()
        eventually(lambda: counted.looks == 2)
    assert "trying again" in caplog.text


def test_a_restart_goes_on_where_the_last_one_was(schedules: Schedules, database: Database, clock: Clock) -> None:
    made = schedules.new("*/5 * * * *")

    def lifetime(ended: Callable[[], bool]) -> None:
        loop = ScheduleLoop(ScheduleController(database, CATCH_UP, clock.note_start, clock))
        loop.start()
        try:
            eventually(ended)
        finally:
            loop.stop(timeout_seconds=10)

    clock.time = NOON + minutes(5)
    lifetime(lambda: schedules.runs(made) == 1)
    lifetime(lambda: schedules.next(made) == NOON + minutes(10))
    clock.time = NOON + minutes(11)
    lifetime(lambda: schedules.next(made) == NOON + minutes(15))
    assert schedules.runs(made) == 2
