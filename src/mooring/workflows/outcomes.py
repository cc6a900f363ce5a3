"""How a node of a workflow stands, and what it gives to others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from mooring.domain.jobs import JobOrder, NodeFact


class Phase(Enum):
    """In Argo's words."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"  # it ran, and failed
    ERROR = "Error"  # it could not be run
    SKIPPED = "Skipped"  # its `when` did not hold
    OMITTED = "Omitted"  # what it waited for will not come


BAD = frozenset({Phase.FAILED, Phase.ERROR})
DONE = frozenset({Phase.SUCCEEDED, Phase.SKIPPED, Phase.OMITTED, *BAD})


@dataclass(frozen=True)
class Stored:
    """An artifact in an object store; `unpack`: it is a tar.gz that its reader gets unpacked."""

    url: str
    unpack: bool = True


@dataclass(frozen=True)
class Outputs:
    """What a node gives to others. `result` is what a script printed last."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, Stored] = field(default_factory=dict)
    result: str | None = None
    exit_code: int | None = None


@dataclass(frozen=True)
class Outcome:
    """`begin`: jobs that it wants now. `nodes`: itself, then what lies below it. `exports`: urls by `globalName`.

    `failure` says why it is bad and names the node that was first to fail. The times span all its jobs.
    """

    phase: Phase
    outputs: Outputs = Outputs()
    begin: tuple[JobOrder, ...] = ()
    nodes: tuple[NodeFact, ...] = ()
    exports: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    id: str = ""

    @property
    def done(self) -> bool:
        return self.phase in DONE

    @property
    def bad(self) -> bool:
        return self.phase in BAD


def alone(phase: Phase, node: str, template: str, message: str = "") -> Outcome:
    """The outcome of a node that never had a job."""
    failure = f"{node}: {message}" if phase in BAD else ""
    return Outcome(phase, nodes=(NodeFact(node, template, phase.value, message),), failure=failure, id=node)


def gather(children: Iterable[Outcome], phase: Phase, *, failure: str = "") -> Outcome:
    """One outcome of several nodes, without outputs of its own."""
    found = tuple(children)
    exports: dict[str, str] = {}
    for child in found:
        exports.update(child.exports)
    starts = [child.started_at for child in found if child.started_at]
    ends = [child.ended_at for child in found if child.ended_at]
    return Outcome(
        phase,
        begin=tuple(order for child in found for order in child.begin),
        nodes=tuple(node for child in found for node in child.nodes),
        exports=exports,
        failure=failure,
        started_at=min(starts, default=None),
        ended_at=max(ends, default=None),
    )


def named(outcome: Outcome, node: str, template: str) -> Outcome:
    """The outcome as that of `node`, which stands before the nodes below it."""
    fact = NodeFact(node, template, outcome.phase.value, outcome.failure)
    return replace(outcome, nodes=(fact, *outcome.nodes), id=node)
