"""Nodes and instance types: what there is to run on, and what was asked to be kept ready."""

import os
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mooring.domain.resource_plans import RESOURCE_PLANS, Machine, ResourcePlan
from mooring.errors import InvalidRequest
from mooring.store.tables import NodeRequest

_GPU_DEVICES = "nvidia[0-9]*"


def requested(session: Session) -> dict[str, int]:
    """How many nodes are asked for, by resource plan; all plans are there."""
    asked = {row.resource_plan: row.requested for row in session.scalars(select(NodeRequest))}
    return {name: asked.get(name, 0) for name in RESOURCE_PLANS}


def request(session: Session, wishes: Mapping[str, int]) -> None:
    """Ask for so many nodes per plan; plans that are not named stay as they are. Raises InvalidRequest."""
    unknown = next((name for name in wishes if name not in RESOURCE_PLANS), None)
    if unknown is not None:
        raise InvalidRequest(f"resourcePlans: {unknown[:80]!r} is no resource plan: use {', '.join(RESOURCE_PLANS)}")
    for name, number in sorted(wishes.items()):
        _ask(session, name, number)


def refuse_repeated(names: list[str]) -> None:
    """Raises InvalidRequest when a plan is named twice."""
    repeated = next((name for name, times in Counter(names).items() if times > 1), None)
    if repeated is not None:
        raise InvalidRequest(f"resourcePlans: {repeated[:80]!r} is named more than once")


def instance_types() -> list[ResourcePlan]:
    """What each resource plan comes to on this machine."""
    machine = this_machine()
    return [machine.share_of(plan) for plan in RESOURCE_PLANS.values()]


def this_machine() -> Machine:
    """What we run on."""
    return Machine(
        cpus=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        gpus=len(list(Path("/dev").glob(_GPU_DEVICES))),
    )


def _ask(session: Session, name: str, number: int) -> None:
    # Somebody else may ask for the first time at this moment: then theirs is found below.
    if session.get(NodeRequest, name) is None:
        with suppress(IntegrityError), session.begin_nested():
            session.add(NodeRequest(resource_plan=name, requested=number))
    session.get_one(NodeRequest, name, with_for_update=True).requested = number
