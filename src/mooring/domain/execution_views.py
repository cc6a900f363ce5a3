"""An execution as decisions see it: what the store knows, what its workflow needs, what the runtime observes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mooring.domain.errands import Errand
from mooring.domain.jobs import ENDED, JobState, JobView, NodeFact, Progress
from mooring.domain.lifecycle import Status, TargetStatus
from mooring.domain.replicas import Observation, Phase

_ABSENT = Observation(Phase.ABSENT)
_NOTHING = Progress()
_NOT_BEGUN, _DONE = Errand(), Errand(done=True)
_OPERATORS_LIMIT = " (setting execution_seconds; activeDeadlineSeconds of the workflow's own spec counts instead)"


@dataclass(frozen=True)
class JobPolicy:
    """`patience`: for how long a trouble that may pass is borne with. `most_losses`: how often a job may get lost.

    `execution_seconds`: how long an execution may run that says nothing about it; None: for ever.
    """

    patience: timedelta
    most_losses: int = 2
    execution_seconds: float | None = None


@dataclass(frozen=True)
class JobSight:
    """A job. `near`: it will soon be its turn; `has_turn`: there is a place for it now; `seconds`: its limit."""

    job: JobView
    observation: Observation = _ABSENT
    preparation: Errand = _NOT_BEGUN
    storing: Errand = _NOT_BEGUN
    near: bool = True
    has_turn: bool = True
    seconds: float | None = None
    not_before: datetime | None = None
    stop_requested: bool = False
    losses: int = 0
    forgotten: bool = False

    @property
    def id(self) -> str:
        return self.job.id

    @property
    def state(self) -> JobState:
        return self.job.state

    @property
    def has_ended(self) -> bool:
        return self.job.state in ENDED

    def is_late(self, now: datetime) -> bool:
        """Whether it has run for longer than it may."""
        started = self.job.started_at
        return self.seconds is not None and started is not None and now - started > timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class ExecutionView:
    """An execution and its jobs, oldest first. `queue`: in words, what the jobs whose turn it is not wait for.

    `seconds`: how long it may run, from its first job on, where its workflow says so. `discarding`: how far the removal
    of what was made for its steps alone is; it only counts for one that is to be deleted.
    """

    status: Status
    target: TargetStatus
    progress: Progress = _NOTHING
    jobs: tuple[JobSight, ...] = ()
    status_message: str = ""
    status_details: Mapping[str, Any] = field(default_factory=dict)
    started_at: datetime | None = None
    seconds: float | None = None
    queue: str = ""
    discarding: Errand = _DONE

    def lateness(self, now: datetime, policy: JobPolicy) -> str:
        """In words, when it has run for longer than it may; else ""."""
        own = self.seconds is not None
        seconds = self.seconds if own else policy.execution_seconds
        if seconds is None or self.started_at is None or now - self.started_at <= timedelta(seconds=seconds):
            return ""
        return f"took longer than {seconds:g} s" + ("" if own else _OPERATORS_LIMIT)

    @property
    def details(self) -> dict[str, Any]:
        """Its `statusDetails` as they have to be."""
        return status_details(self.progress.nodes, (sight.job for sight in self.jobs))


def status_details(nodes: Iterable[NodeFact], jobs: Iterable[JobView]) -> dict[str, Any]:
    """How each node stands; the exit code is that of its last try."""
    codes = {job.node: job.exit_code for job in jobs}
    return {"nodes": [_node(node, codes.get(node.node)) for node in nodes]} if nodes else {}


def _node(fact: NodeFact, exit_code: int | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"node": fact.node, "template": fact.template, "phase": fact.phase}
    if fact.message:
        shown["message"] = fact.message
    if exit_code is not None:
        shown["exitCode"] = exit_code
    return shown
