"""The state machine of section 4 of the AI API: what each status allows, for executions and deployments."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mooring.domain.actions import Remove
from mooring.domain.deployments import plan
from mooring.domain.lifecycle import Operation, Status, TargetStatus, has_ended, is_allowed, refusal
from mooring.domain.views import DeploymentView
from tests.domain.simulated_deployment import POLICY

NOW = datetime(2026, 1, 1, tzinfo=UTC)

# The columns of the reference, in its order.
COLUMNS = ("UNKNOWN", "PENDING", "RUNNING", "COMPLETED", "DEAD", "STOPPING", "STOPPED")
TABLE = {
    Operation.STOP: ("no", "yes", "yes", "no", "no", "no", "no"),
    Operation.DELETE_EXECUTION: ("yes", "no", "no", "yes", "yes", "no", "yes"),
    Operation.DELETE_DEPLOYMENT: ("yes", "no", "no", "-", "yes", "no", "yes"),
    Operation.CHANGE_CONFIGURATION: ("no", "yes", "yes", "-", "yes", "no", "no"),
}
CASES = [
    (operation, Status(column), answer == "yes")
    for operation, answers in TABLE.items()
    for column, answer in zip(COLUMNS, answers, strict=True)
]


def test_the_table_is_complete() -> None:
    assert {operation for operation, _, _ in CASES} == set(Operation)
    assert [status.value for status in Status] == list(COLUMNS)
    assert {target.value for target in TargetStatus} == {"RUNNING", "COMPLETED", "STOPPED", "DELETED"}


@pytest.mark.parametrize(("operation", "status", "allowed"), CASES)
def test_what_each_status_allows(operation: Operation, status: Status, allowed: bool) -> None:
    assert is_allowed(operation, status) is allowed
    for target in (TargetStatus.RUNNING, TargetStatus.COMPLETED):
        refused = refusal(operation, status, target)
        assert (refused is None) is allowed
        assert allowed or f"in status {status.value}: it has to be one of" in str(refused)


@pytest.mark.parametrize(("operation", "status", "allowed"), CASES)
def test_stopped_and_deleted_are_final_targets(operation: Operation, status: Status, allowed: bool) -> None:
    deletes = operation in (Operation.DELETE_EXECUTION, Operation.DELETE_DEPLOYMENT)
    for target in (TargetStatus.STOPPED, TargetStatus.DELETED):
        refused = refusal(operation, status, target)
        assert (refused is None) is (deletes and allowed)
        assert deletes or "which is final" in str(refused)


def test_a_refusal_says_in_which_statuses_it_would_go() -> None:
    assert refusal(Operation.STOP, Status.UNKNOWN, TargetStatus.COMPLETED) == (
        " in status UNKNOWN: it has to be one of PENDING, RUNNING"
    )


@pytest.mark.parametrize("status", Status)
def test_what_is_over(status: Status) -> None:
    assert has_ended(status) is (status in (Status.COMPLETED, Status.DEAD, Status.STOPPED))


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("target", [TargetStatus.RUNNING, TargetStatus.STOPPED])
def test_a_time_to_live_that_is_over_deletes_in_every_status(status: Status, target: TargetStatus) -> None:
    view = DeploymentView(status, target, serving_revision_id=None, revisions=(), expires_at=NOW)
    before = plan(view, NOW - timedelta(seconds=1), POLICY)
    assert Remove() not in before
    if status in (Status.PENDING, Status.RUNNING):  # taken out of the gateway first
        view = replace(view, status=Status.STOPPING)
    assert plan(view, NOW, POLICY) == [Remove()]


@pytest.mark.parametrize("status", Status)
def test_only_what_is_dead_for_long_and_serves_nothing_is_deleted(status: Status) -> None:
    view = DeploymentView(status, TargetStatus.RUNNING, serving_revision_id=None, revisions=(), dead_since=NOW)
    late = NOW + POLICY.dead
    assert (plan(view, late, POLICY) == [Remove()]) is (status is Status.DEAD)
    assert Remove() not in plan(view, late - timedelta(seconds=1), POLICY)
    serving = replace(view, serving_revision_id="v1")
    assert Remove() not in plan(serving, late + timedelta(days=365), POLICY)
