"""What an execution does next, for every status and target."""

import pytest

from mooring.domain.actions import Accept, MarkStopped, Remove, Tell
from mooring.domain.executions import WAITING, Action, ExecutionView, plan
from mooring.domain.lifecycle import Status, TargetStatus

ACCEPT = [Tell(WAITING), Accept()]
STOP = [MarkStopped()]
REST: list[Action] = []
TABLE = {
    Status.UNKNOWN: (ACCEPT, STOP),
    Status.PENDING: (REST, STOP),
    Status.RUNNING: (REST, STOP),
    Status.COMPLETED: (REST, REST),
    Status.DEAD: (REST, REST),
    Status.STOPPING: (REST, STOP),
    Status.STOPPED: (REST, REST),
}


@pytest.mark.parametrize("status", Status)
def test_every_status_and_target(status: Status) -> None:
    to_complete, to_stop = TABLE[status]
    assert plan(ExecutionView(status, TargetStatus.COMPLETED)) == to_complete
    assert plan(ExecutionView(status, TargetStatus.STOPPED)) == to_stop
    assert plan(ExecutionView(status, TargetStatus.DELETED)) == [Remove()]


def test_what_is_waited_for_fits_into_a_status_message() -> None:
    assert "waits for" in WAITING
    assert len(WAITING) <= 256
