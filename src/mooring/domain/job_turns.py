"""Whose turn it is: resource groups take turns, so that the many jobs of one do not keep all others waiting."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class WaitingJob:
    """A job without a place. `cpus`: of a place for it. `since`: when its execution was made.

    `begun`: its execution has had a place before. `troubled`: something keeps it from starting for now.
    """

    id: str
    execution_id: str
    group: str
    cpus: int
    since: datetime
    begun: bool = False
    troubled: bool = False


def in_turn(waiting: Iterable[WaitingJob], held: Mapping[str, int]) -> Iterator[WaitingJob]:
    """The jobs in the order in which they get places, when the groups hold so many processors now.

    It is the turn of the group that holds the fewest, and of the oldest execution between those that hold as many; a
    place that a job will have counts for those behind it. Within a group, what has begun is finished first.
    """
    lines = _lines(waiting)
    holds = {group: held.get(group, 0) for group in lines}
    while lines:
        group = min(lines, key=lambda each: (holds[each], lines[each][-1].since, each))
        job = lines[group].pop()
        if not lines[group]:
            del lines[group]
        if not job.troubled:
            holds[group] += job.cpus
        yield job


def _lines(waiting: Iterable[WaitingJob]) -> dict[str, list[WaitingJob]]:
    """By group, the next one last. What nothing tells apart stays in the order that it came in."""
    lines: dict[str, list[WaitingJob]] = {}
    for job in sorted(waiting, key=lambda each: (not each.begun, each.since)):
        lines.setdefault(job.group, []).append(job)
    return {group: jobs[::-1] for group, jobs in lines.items()}
