from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mooring.builder.plan import Delete, Deploy, Failure, Known, ModelState, Plan, Stop, plan
from mooring.builder.wanted import Wanted

V1, V2 = Wanted(1, "tag true"), Wanted(2, "tag true")
MADE = datetime(2026, 1, 1, tzinfo=UTC)


def known(
    version: int = 1,
    status: str = "RUNNING",
    serving: int | None = 1,
    *,
    current: bool = True,
    target: str = "RUNNING",
    name: str = "d1",
    age: int = 0,
    message: str = "",
) -> Known:
    made = MADE - timedelta(hours=age)
    return Known(name, version, serving, current, status, target, message, made)


FAILED = Failure(2, "tag true", "no such module", reported=True)
OLD_SERVES = known(2, "DEAD", 1, current=False, message="no such module")

CASES: dict[str, tuple[ModelState, Plan]] = {
    "nothing is asked for": (ModelState(None), Plan()),
    "a first version is deployed": (
        ModelState(V1),
        Plan((Deploy(1),), {1: "DEPLOYING"}, unsettled=True),
    ),
    "what is on its way is waited for": (
        ModelState(V1, (known(1, "PENDING", None),), {1: "DEPLOYING"}),
        Plan((), {1: "DEPLOYING"}, unsettled=True),
    ),
    "what runs as wanted is left alone": (
        ModelState(V1, (known(),), {1: "RUNNING"}),
        Plan((), {1: "RUNNING"}, serving=1),
    ),
    "a running one that nobody wrote back is written back": (
        ModelState(V1, (known(),)),
        Plan((), {1: "RUNNING"}, serving=1),
    ),
    "a new version changes the deployment in place": (
        ModelState(V2, (known(),), {1: "RUNNING"}),
        Plan((Deploy(2, "d1"),), {1: "RUNNING", 2: "DEPLOYING"}, serving=1, unsettled=True),
    ),
    "the old one serves while the new one comes": (
        ModelState(V2, (known(2, "PENDING", 1, current=False),), {1: "RUNNING", 2: "DEPLOYING"}),
        Plan((), {1: "RUNNING", 2: "DEPLOYING"}, serving=1, unsettled=True),
    ),
    "RUNNING with the old configuration is not the new one": (
        ModelState(V2, (known(2, "RUNNING", 1, current=False),), {1: "RUNNING", 2: "DEPLOYING"}),
        Plan((), {1: "RUNNING", 2: "DEPLOYING"}, serving=1, unsettled=True),
    ),
    "the old version is told off once the new one serves": (
        ModelState(V2, (known(2, serving=2),), {1: "RUNNING", 2: "DEPLOYING"}),
        Plan((), {1: "STOPPED", 2: "RUNNING"}, serving=2),
    ),
    "a change of mind on the way is followed": (
        ModelState(Wanted(3, "alias"), (known(2, "PENDING", 1, current=False),), {1: "RUNNING", 2: "DEPLOYING"}),
        Plan(
            (Deploy(3, "d1"),),
            {1: "RUNNING", 2: "STOPPED", 3: "DEPLOYING"},
            serving=1,
            unsettled=True,
        ),
    ),
    "what cannot be changed yet is waited for": (
        ModelState(V2, (known(1, "UNKNOWN", None),)),
        Plan((), {2: "DEPLOYING"}, unsettled=True),
    ),
    "a failed version is told, the old one serves": (
        ModelState(V2, (OLD_SERVES,), {1: "RUNNING", 2: "DEPLOYING"}),
        Plan((), {1: "RUNNING", 2: "FAILED"}, serving=1, failure=replace(FAILED, reported=False)),
    ),
    "a failed version is not tried again": (
        ModelState(V2, (OLD_SERVES,), {1: "RUNNING", 2: "FAILED"}, FAILED),
        Plan((), {1: "RUNNING", 2: "FAILED"}, serving=1, failure=FAILED),
    ),
    "a version that was refused is not tried again": (
        ModelState(V2, (known(),), {1: "RUNNING", 2: "FAILED"}, FAILED),
        Plan((), {1: "RUNNING", 2: "FAILED"}, serving=1, failure=FAILED),
    ),
    "a failure whose report could not be written yet is not tried again": (
        ModelState(V2, (OLD_SERVES,), {1: "RUNNING", 2: "DEPLOYING"}, replace(FAILED, reported=False)),
        Plan((), {1: "RUNNING", 2: "FAILED"}, serving=1, failure=replace(FAILED, reported=False)),
    ),
    "another mark on a failed version is another try": (
        ModelState(Wanted(2, "alias"), (OLD_SERVES,), {1: "RUNNING", 2: "FAILED"}, FAILED),
        Plan((Deploy(2, "d1"),), {1: "RUNNING", 2: "DEPLOYING"}, serving=1, failure=FAILED, unsettled=True),
    ),
    "a report that somebody removed is another try": (
        ModelState(V2, (OLD_SERVES,), {1: "RUNNING"}, FAILED),
        Plan(
            (Deploy(2, "d1"),),
            {1: "RUNNING", 2: "DEPLOYING"},
            serving=1,
            failure=replace(FAILED, mark=""),
            unsettled=True,
        ),
    ),
    "another version after a failed one is deployed": (
        ModelState(Wanted(3, "tag true"), (OLD_SERVES,), {1: "RUNNING", 2: "FAILED"}, FAILED),
        Plan((Deploy(3, "d1"),), {1: "RUNNING", 2: "STOPPED", 3: "DEPLOYING"}, serving=1, unsettled=True),
    ),
    "the old version again, after a failed one": (
        ModelState(V1, (OLD_SERVES,), {1: "RUNNING", 2: "FAILED"}, FAILED),
        Plan((Deploy(1, "d1"),), {1: "DEPLOYING", 2: "STOPPED"}, serving=1, unsettled=True),
    ),
    "a failure that was overcome is forgotten": (
        ModelState(V2, (known(2, serving=2),), {2: "FAILED"}, FAILED),
        Plan((), {2: "RUNNING"}, serving=2),
    ),
    "what does not get ready in time has failed": (
        ModelState(V1, (known(1, "PENDING", None),), waited_seconds=9, timeout_seconds=9),
        Plan((), {1: "FAILED"}, failure=Failure(1, "tag true", "not RUNNING within 9 s, still PENDING")),
    ),
    "what dies after it ran serves nothing": (
        ModelState(V1, (known(1, "DEAD", None, message="killed"),), {1: "RUNNING"}),
        Plan((), {1: "FAILED"}, failure=Failure(1, "tag true", "killed")),
    ),
    "a mark that has just gone changes nothing yet": (
        ModelState(None, (known(),), {1: "RUNNING"}, removal_due=False),
        Plan((), {1: "RUNNING"}, serving=1),
    ),
    "a mark that has gone stops": (
        ModelState(None, (known(),), {1: "RUNNING"}),
        Plan((Stop("d1"),), {1: "STOPPED"}, unsettled=True),
    ),
    "what is stopping is waited for": (
        ModelState(None, (known(status="RUNNING", target="STOPPED"),), {1: "RUNNING"}),
        Plan((), {1: "STOPPED"}, unsettled=True),
    ),
    "what has stopped is deleted": (
        ModelState(None, (known(status="STOPPED", serving=None, target="STOPPED"),)),
        Plan((Delete("d1"),), {}, unsettled=True),
    ),
    "what never started is deleted": (
        ModelState(None, (known(status="UNKNOWN", serving=None),)),
        Plan((Delete("d1"),), {}, unsettled=True),
    ),
    "what is being deleted is waited for": (
        ModelState(None, (known(status="STOPPED", serving=None, target="DELETED"),)),
        Plan((), {}, unsettled=True),
    ),
    "a failure without a mark is remembered for the next mark": (
        ModelState(None, (), {2: "FAILED"}, FAILED),
        Plan((), {2: "STOPPED"}, failure=Failure(2, "", "no such module")),
    ),
    "a deployment on its way out is no home for a version": (
        ModelState(V1, (known(target="STOPPED"),), {1: "RUNNING"}),
        Plan((Deploy(1),), {1: "DEPLOYING"}, unsettled=True),
    ),
    "of two that run the newest is kept": (
        ModelState(V1, (known(name="old", age=2), known(name="new", age=1)), {1: "RUNNING"}),
        Plan((Stop("old"),), {1: "RUNNING"}, serving=1, unsettled=True),
    ),
    "of two the one that serves is kept, however old": (
        ModelState(V1, (known(name="old", age=2), known(1, "PENDING", None, name="new")), {1: "RUNNING"}),
        Plan((Stop("new"),), {1: "RUNNING"}, serving=1, unsettled=True),
    ),
    "a dead one gives way to a living one": (
        ModelState(V1, (known(1, "DEAD", None, name="dead"), known(name="alive", age=9)), {1: "RUNNING"}),
        Plan((Delete("dead"),), {1: "RUNNING"}, serving=1, unsettled=True),
    ),
    "a serving version that the registry has deleted is not written about": (
        ModelState(V2, (known(),), {}),
        Plan((Deploy(2, "d1"),), {2: "DEPLOYING"}, serving=1, unsettled=True),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_plan(case: str) -> None:
    state, expected = CASES[case]

    assert plan(state) == expected


def test_the_order_in_which_deployments_are_listed_does_not_matter() -> None:
    deployments = tuple(known(name=f"d{age}", age=age) for age in range(3))

    there = plan(ModelState(V1, deployments))
    back = plan(ModelState(V1, deployments[::-1]))

    assert set(there.steps) == set(back.steps) == {Stop("d1"), Stop("d2")}
