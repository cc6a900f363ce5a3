"""What an execution needs next: a pure function from what is seen to a list of small actions, as for deployments.

Nothing runs executions yet: they wait in PENDING, and can be stopped and deleted.
"""

from dataclasses import dataclass

from mooring.domain.actions import Accept, MarkStopped, Remove, Tell
from mooring.domain.lifecycle import Status, TargetStatus, has_ended

WAITING = "waits for something that can run workflows: this installation has nothing yet that does"

Action = Accept | Tell | MarkStopped | Remove


@dataclass(frozen=True)
class ExecutionView:
    """An execution as the store knows it."""

    status: Status
    target: TargetStatus


def plan(view: ExecutionView) -> list[Action]:
    """What to do now; an empty list when there is nothing. Each action can be repeated harmlessly."""
    if view.target is TargetStatus.DELETED:
        return [Remove()]
    if has_ended(view.status):
        return []
    if view.target is TargetStatus.STOPPED:
        return [MarkStopped()]
    if view.status is Status.UNKNOWN:
        return [Tell(WAITING), Accept()]
    return []
