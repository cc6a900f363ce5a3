"""What waits while the model is busy is predicted together; each request keeps its own answer, failure and deadline."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mooring.modelserver.batching.batcher import Batcher, Limits
from mooring.modelserver.batching.ticket import Outcome, Ticket
from mooring.modelserver.delivery import Delivery
from mooring.modelserver.errors import DeadlineExceeded, DiedPredicting, InvalidInput, Unavailable
from mooring.modelserver.journal import Journal
from mooring.modelserver.journals import Journals
from mooring.modelserver.metrics import Metrics
from mooring.modelserver.observer import Observer
from mooring.modelserver.rows import Rows
from mooring.modelserver.suspicion import Suspicion
from mooring.modelserver.watch import Watch
from mooring.modelserver.worker import Worker

WAIT_SECONDS = 30.0
ROOMY = Limits(requests=100, rows=1000, size=1_000_000)


class Doubler:
    """Doubles its rows; raises for a 13. Its first batch waits for `gate`."""

    name = "doubler"
    are_rows_independent = True

    def __init__(self) -> None:
        self.gate, self.begun = threading.Event(), threading.Event()
        self.batches: list[list[float]] = []

    def predict(self, rows: Rows) -> Any:
        values = rows.arrays[0]
        self.batches.append(values[:, 0].tolist())
        self.begun.set()
        assert self.gate.wait(WAIT_SECONDS)
        if 13.0 in values:
            raise ValueError("13 brings bad luck")
        return values[:, 0] * 2


class Table:
    """A batcher before a doubler, and who sits there."""

    def __init__(self, limits: Limits = ROOMY, **options: Any) -> None:
        self.model = Doubler()
        self.watch = Watch(threads=1, stuck_seconds=options.pop("stuck_seconds", 60))
        self.worker = Worker(self.watch, threads=1, max_waiting=options.pop("max_waiting", 100))
        self.metrics = Metrics()
        self.batcher = Batcher(self.model, self.worker, limits, observer=Observer(self.metrics), **options)

    def ask(self, *values: float, seconds: float = 60.0, size: int = 10, name: bytes | None = None) -> "Guest":
        return Guest(self.batcher, values, seconds, size, name)

    async def busy(self) -> "Guest":
        """Somebody is being served until the gate opens."""
        guest = self.ask(0.0)
        assert await asyncio.to_thread(self.model.begun.wait, WAIT_SECONDS)
        return guest


class Guest:
    """One request and what became of it."""

    def __init__(self, batcher: Batcher, values: tuple[float, ...], seconds: float, size: int, name: bytes | None):
        loop = asyncio.get_running_loop()
        self._future: asyncio.Future[Outcome] = loop.create_future()
        self.ticket = Ticket(
            "r", Rows((np.array([[v] for v in values], dtype=float),), len(values)),
            lambda part: repr(part.tolist()).encode(),
            self._alone, lambda _, outcome: self._future.set_result(outcome), size=size,
            arrived=time.perf_counter(), deadline=loop.time() + seconds, name=name,
        )  # fmt: skip
        batcher.submit(self.ticket)

    def _alone(self) -> bytes:
        if 13.0 in self.ticket.rows.arrays[0]:
            raise InvalidInput("row 0: no 13, please")
        return b"alone"

    async def outcome(self) -> Outcome:
        return await asyncio.wait_for(self._future, WAIT_SECONDS)

    @property
    def is_answered(self) -> bool:
        return self._future.done()


def play(scene: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), WAIT_SECONDS))


def test_what_waits_while_the_model_is_busy_is_the_next_batch_in_order() -> None:
    async def scene() -> None:
        table = Table()
        first = await table.busy()
        guests = [table.ask(1, 2), table.ask(3), table.ask(4, 5, 6)]
        table.model.gate.set()
        assert await first.outcome() == b"[0.0]"
        assert [await guest.outcome() for guest in guests] == [b"[2.0, 4.0]", b"[6.0]", b"[8.0, 10.0, 12.0]"]
        assert table.model.batches == [[0.0], [1, 2, 3, 4, 5, 6]]
        assert table.metrics.batches.rows.total == 7
        assert table.metrics.batches.requests.total == 4
        assert guests[0].ticket.waited > 0

    play(scene)


def test_an_idle_model_waits_for_nobody() -> None:
    async def scene() -> None:
        table = Table()
        table.model.gate.set()
        for value in range(5):
            assert await table.ask(value).outcome() == f"[{2.0 * value}]".encode()
        assert table.model.batches == [[0], [1], [2], [3], [4]]

    play(scene)


@pytest.mark.parametrize(
    ("limits", "batches"),
    [
        (Limits(requests=2, rows=100, size=100), [[1], [2, 3]]),
        (Limits(requests=100, rows=2, size=100), [[1], [2, 3]]),
        (Limits(requests=100, rows=100, size=25), [[1], [2, 3]]),
        (Limits(requests=1, rows=1, size=1), [[1], [2], [3]]),
    ],
)
def test_the_limits_of_a_batch_are_kept(limits: Limits, batches: list[list[float]]) -> None:
    async def scene() -> None:
        table = Table(limits)
        await table.busy()
        guests = [table.ask(value) for value in (1, 2, 3, 4)]
        table.model.gate.set()
        for guest in guests:
            await guest.outcome()
        sizes = [len(batch) for batch in table.model.batches[1:]]
        assert sum(sizes) == 4
        assert max(sizes) == max(map(len, batches))

    play(scene)


def test_a_request_beyond_the_limits_is_predicted_all_the_same() -> None:
    async def scene() -> None:
        table = Table(Limits(requests=5, rows=2, size=5))
        table.model.gate.set()
        assert await table.ask(1, 2, 3, size=100).outcome() == b"[2.0, 4.0, 6.0]"

    play(scene)


def test_a_bad_row_fails_only_its_own_request() -> None:
    async def scene() -> None:
        table = Table()
        await table.busy()
        good, bad, other = table.ask(1), table.ask(13), table.ask(2)
        table.model.gate.set()
        assert await good.outcome() == b"[2.0]"
        assert await other.outcome() == b"[4.0]"
        refusal = await bad.outcome()
        assert isinstance(refusal, InvalidInput)
        assert refusal.message == "row 0: no 13, please"
        assert await table.ask(3).outcome() == b"[6.0]"

    play(scene)


def test_who_has_gone_is_not_predicted() -> None:
    async def scene() -> None:
        table = Table()
        first = await table.busy()
        gone, stays = table.ask(7), table.ask(8)
        gone.ticket.drop()
        assert len(table.worker) == 1
        table.model.gate.set()
        await first.outcome()
        assert await stays.outcome() == b"[16.0]"
        assert table.model.batches == [[0], [8]]
        assert not gone.is_answered

    play(scene)


def test_a_deadline_is_kept_in_the_queue_and_while_the_model_hangs() -> None:
    async def scene() -> None:
        table = Table()
        running = table.ask(1, seconds=0.2)
        assert await asyncio.to_thread(table.model.begun.wait, WAIT_SECONDS)
        waiting, patient = table.ask(2, seconds=0.1), table.ask(3)
        for guest in (waiting, running):
            assert isinstance(await guest.outcome(), DeadlineExceeded)
        assert len(table.worker) == 1
        table.model.gate.set()
        assert await patient.outcome() == b"[6.0]"
        assert table.model.batches == [[1], [3]]

    play(scene)


def test_a_quick_model_that_hangs_all_of_a_sudden_does_not_hold_the_loop() -> None:
    async def scene() -> None:
        table = Table()
        table.model.gate.set()
        for _ in range(3):
            await table.ask(1).outcome()
        table.model.gate.clear()
        table.model.begun.clear()
        hanging = table.ask(2)
        started = time.monotonic()
        assert await asyncio.to_thread(table.model.begun.wait, WAIT_SECONDS)
        await asyncio.sleep(0.001)
        assert time.monotonic() - started < 10
        assert not hanging.is_answered
        table.model.gate.set()
        assert await hanging.outcome() == b"[4.0]"

    play(scene)


def test_the_queue_is_bounded_and_closed_behind_a_stuck_model() -> None:
    async def scene() -> None:
        table = Table(max_waiting=2, stuck_seconds=0.2)
        stuck = await table.busy()
        waiting = [table.ask(1), table.ask(2)]
        with pytest.raises(Unavailable, match="2 requests wait"):
            table.ask(3)
        for guest in waiting:
            refusal = await guest.outcome()
            assert isinstance(refusal, Unavailable)
            assert dict(refusal.headers) == {"retry-after": "1"}
        with pytest.raises(Unavailable, match="does not come back"):
            table.ask(4)
        assert table.watch.trouble()
        table.model.gate.set()
        assert await stuck.outcome() == b"[0.0]"
        assert await table.ask(5).outcome() == b"[10.0]"

    play(scene)


def test_each_of_a_batch_is_noted_while_it_runs_and_the_innocent_are_told_apart(tmp_path: Path) -> None:
    async def scene() -> None:
        journal = Journal(tmp_path, slots=10)
        others = Journals(Journal(tmp_path, slots=1).path)
        table = Table(suspicion=Suspicion(journal, max_deaths=1))
        first = table.ask(0, name=b"first")
        assert await asyncio.to_thread(table.model.begun.wait, WAIT_SECONDS)
        assert others.deaths(b"first") == 1, "alone: as sure as can be"
        table.model.gate.set()
        await first.outcome()
        table.model.gate.clear()
        table.model.begun.clear()
        guests = [table.ask(1, name=b"one"), table.ask(2, name=b"two"), table.ask(3)]
        assert await asyncio.to_thread(table.model.begun.wait, WAIT_SECONDS)
        assert [others.deaths(name) for name in (b"first", b"one", b"two")] == [0, 0, 0]
        assert [others.deaths(name, in_company=True) for name in (b"first", b"one", b"two")] == [0, 1, 1]
        table.model.gate.set()
        for guest in guests:
            await guest.outcome()
        assert others.deaths(b"one", in_company=True) == 0

    play(scene)


@pytest.mark.parametrize(("max_deaths", "chances"), [(1, 1), (2, 1), (3, 2)])
def test_who_was_in_company_at_a_death_is_predicted_alone_once_more(
    tmp_path: Path, max_deaths: int, chances: int
) -> None:
    suspicion = Suspicion(Journal(tmp_path, slots=1), max_deaths=max_deaths)
    dead = Journal(tmp_path, slots=2)
    for name in (b"poison", b"innocent"):
        dead.begin(name, in_company=True)
    repeated = Delivery(b"poison", is_repeated=True)
    for _ in range(chances):
        assert suspicion.run(repeated, lambda: "answered") == "answered"
        Journal(tmp_path, slots=1).begin(b"poison")
    with pytest.raises(DiedPredicting):
        suspicion.run(repeated, lambda: "answered")
    assert suspicion.run(Delivery(b"innocent", is_repeated=True), lambda: "answered") == "answered"
