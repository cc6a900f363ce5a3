"""Whatever goes wrong at whichever call: it passes or is told, nothing is made twice, and the next run completes."""

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mooring.client.errors import ApiError
from mooring.pipeline.interrupts import Interrupts
from mooring.pipeline.outcome import ExitCode, Result, Verdict
from tests.pipeline.deploying import Pipeline, with_destination
from tests.pipeline.faulty_proxy import Decide, Fault, FaultyProxy
from tests.pipeline.project_server import ProjectServer

pytestmark = pytest.mark.slow
FIRST = with_destination(clean_up=True)
CHANGED = with_destination("salve", epochs="4", clean_up=True)
AWAY_CALLS = 4
"""More than the client repeats by itself."""
WRITES = 6


@dataclass
class World:
    """A server that holds what `before` says, behind a proxy; `content` is what is deployed."""

    api: ProjectServer
    proxy: FaultyProxy
    pipeline: Pipeline
    content: dict[str, Any]

    def deploy(self, **options: Any) -> Result:
        return replace(self.pipeline, interrupts=Interrupts()).deploy(self.content, **options)

    def assert_right(self) -> None:
        """All that is wanted is there, each once; what was there before and is not wanted is gone."""
        (rows,) = [each for each in self.api.artifacts.values() if each["name"] == "rows"]
        (execution,) = self.api.executions.values()
        (deployment,) = self.api.deployments.values()
        assert (execution["status"], deployment["status"]) == ("COMPLETED", "RUNNING")
        said = [str({**each, "id": "", "createdAt": ""}) for each in self.api.configurations.values()]
        assert len(said) == len(set(said)), "each configuration once"
        values = self.content["deployments"][0]["configuration"]["parameter_bindings"]
        assert self.api.configurations[deployment["configurationId"]]["parameterBindings"] == values
        assert self.api.destinations["CHURN"]["URL"] == deployment["deploymentUrl"]
        assert rows["url"] == "ai://default/rows"


Make = Callable[[], World]


@pytest.fixture(params=["first", "change"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """A new world at each call: one with nothing in it, or one in which a training, its server and a name change."""
    stack = ExitStack()

    def world() -> World:
        stack.close()
        api = stack.enter_context(ProjectServer())
        proxy = stack.enter_context(FaultyProxy(api.url))
        pipeline = Pipeline(api, tmp_path, url=proxy.url)
        made = World(api, proxy, pipeline, FIRST)
        if request.param == "change":
            assert made.deploy().exit_code == 0
            made.content = CHANGED
            api.destinations["CHURN"]["URL"] = "http://elsewhere"
            proxy.calls.clear()
        return made

    with stack:
        yield world


@pytest.fixture
def ctrl_c() -> Iterator[Callable[[], None]]:
    """Presses it. (A shell that began us with & has it ignored.)"""
    main = threading.main_thread().ident
    assert main is not None
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield partial(signal.pthread_kill, main, signal.SIGINT)
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def calls(make: Make) -> list[tuple[str, str]]:
    """What is called when nothing goes wrong."""
    world = make()
    assert world.deploy().exit_code == 0
    world.assert_right()
    return world.proxy.calls


def _worth_breaking(calls: list[tuple[str, str]]) -> list[int]:
    """One of those before anything is made, and all after that, without the repetitions of what is polled."""
    first = _writes(calls)[0]
    return [0, *(number for number in range(first, len(calls)) if calls[number] not in calls[:number])]


def _writes(calls: list[tuple[str, str]]) -> list[int]:
    numbers = [number for number, (method, _) in enumerate(calls) if method != "GET"]
    assert len(numbers) >= WRITES
    return numbers


def _first_times(fault: Fault, times: int, *, reads: bool) -> Decide:
    """The first so many of each call go wrong."""
    seen: Counter[tuple[str, str]] = Counter()

    def decide(_number: int, method: str, path: str) -> Fault | None:
        seen[method, path] += 1
        return fault if (reads or method != "GET") and seen[method, path] <= times else None

    return decide


@pytest.mark.parametrize("fault", list(Fault))
def test_when_each_write_goes_wrong_once_each_thing_is_made_once(fault: Fault, make: Make) -> None:
    world = make()
    world.proxy.decide = _first_times(fault, 1, reads=False)
    assert world.deploy().exit_code == 0
    world.assert_right()
    assert len(_writes(world.proxy.calls)) >= WRITES


def test_a_server_that_is_away_for_a_while_at_each_call_is_waited_for(make: Make) -> None:
    world = make()
    world.proxy.decide = _first_times(Fault.CUT, AWAY_CALLS, reads=True)
    result = world.deploy()
    assert result.exit_code == 0, result
    world.assert_right()


def test_a_server_that_stays_away_from_a_write_on_is_told_and_the_next_run_completes(
    make: Make, calls: list[tuple[str, str]]
) -> None:
    for number in _writes(calls):
        world = make()
        world.pipeline.away_seconds = 0.05
        world.proxy.decide = lambda call, *_, at=number: Fault.LOST if call >= at else None
        try:
            result = world.deploy(seconds=0.3)
            told = str([result.errors, [each.message for each in result.outcomes]])
            assert result.exit_code in (ExitCode.FAILED, ExitCode.TIMED_OUT), (calls[number], result)
        except ApiError as error:
            told = str(error)
        assert "no complete answer" in told, calls[number]
        world.proxy.decide = lambda *_: None
        assert world.deploy().exit_code == 0
        world.assert_right()


@pytest.mark.parametrize("late", [False, True], ids=["before the call", "after it was taken"])
def test_ctrl_c_at_any_call_names_what_is_left_and_the_next_run_completes(
    late: bool, make: Make, calls: list[tuple[str, str]], ctrl_c: Callable[[], None]
) -> None:
    for number in _writes(calls) if late else _worth_breaking(calls):
        world = make()
        result = _broken_off(world, number, ctrl_c, late=late)
        if result is not None:
            assert result.exit_code == ExitCode.BROKEN_OFF, (calls[number], result)
            _assert_all_that_runs_is_named(world, result)
        assert world.deploy().exit_code == 0
        world.assert_right()


def _broken_off(world: World, number: int, ctrl_c: Callable[[], None], *, late: bool) -> Result | None:
    """None when it was broken off while nothing was planned yet."""
    interrupts = Interrupts()

    def press(call: int) -> None:
        if call == number:
            ctrl_c()

    if late:
        world.proxy.after = press
    else:
        world.proxy.before = press
    with interrupts.heard():
        try:
            return replace(world.pipeline, interrupts=interrupts).deploy(world.content)
        except KeyboardInterrupt:
            return None


def _assert_all_that_runs_is_named(world: World, result: Result) -> None:
    found = {**world.api.executions, **world.api.deployments}
    run = {id_ for id_, each in found.items() if each["status"] in ("UNKNOWN", "PENDING", "RUNNING")}
    named = {each.id for each in result.outcomes if each.verdict in (Verdict.LEFT, Verdict.REACHED)}
    begun = {each.id for each in result.outcomes if each.verdict is Verdict.NOT_BEGUN}
    assert run <= named | begun


def test_a_first_ctrl_c_lets_a_step_end_and_a_second_does_not(ctrl_c: Callable[[], None]) -> None:
    for presses in (1, 2):
        interrupts, heard = Interrupts(), []
        with interrupts.heard():
            try:
                with interrupts.held():
                    for _ in range(presses):
                        ctrl_c()
                    heard.append("the end of the step")
            except KeyboardInterrupt:
                heard.append("Ctrl-C")
        assert heard == ["the end of the step", "Ctrl-C"][presses - 1 :]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_as_long_as_the_server_asks_for_it_is_waited(method: str, make: Make, calls: list[tuple[str, str]]) -> None:
    path = next(path for verb, path in calls if verb == "POST" and path.endswith("/executions"))
    world, moments = make(), []
    world.proxy.retry_after = "1"

    def busy(_call: int, verb: str, called: str) -> Fault | None:
        if verb != method or not called.startswith(path):
            return None
        moments.append(time.monotonic())
        return Fault.BUSY if len(moments) == 1 else None

    world.proxy.decide = busy
    assert world.deploy().exit_code == 0
    assert moments[1] - moments[0] >= 0.99
