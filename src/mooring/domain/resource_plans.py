"""Resource plans: what one replica or step may use, by name.

A name that is not here is refused where it is given: nothing runs in a size that nobody asked for.
"""

from dataclasses import dataclass

_GIB = 1024**3


@dataclass(frozen=True)
class ResourcePlan:
    """A size: processors, resident memory in bytes, and graphics processors."""

    name: str
    cpus: int
    memory_bytes: int
    gpus: int = 0


DEFAULT_PLAN = "starter"

RESOURCE_PLANS: dict[str, ResourcePlan] = {
    plan.name: plan
    for plan in (
        ResourcePlan("starter", cpus=1, memory_bytes=3 * _GIB),
        ResourcePlan("basic", cpus=3, memory_bytes=11 * _GIB),
        ResourcePlan("basic.8x", cpus=31, memory_bytes=116 * _GIB),
        ResourcePlan("train.l", cpus=7, memory_bytes=55 * _GIB, gpus=1),
        ResourcePlan("infer.s", cpus=3, memory_bytes=10 * _GIB, gpus=1),
        ResourcePlan("infer.m", cpus=7, memory_bytes=26 * _GIB, gpus=1),
        ResourcePlan("infer.l", cpus=15, memory_bytes=58 * _GIB, gpus=1),
    )
}


@dataclass(frozen=True)
class Machine:
    """What a machine has."""

    cpus: int
    memory_bytes: int
    gpus: int

    def share_of(self, plan: ResourcePlan) -> ResourcePlan:
        """What a plan comes to here: never more than there is."""
        return ResourcePlan(
            plan.name,
            cpus=min(plan.cpus, self.cpus),
            memory_bytes=min(plan.memory_bytes, self.memory_bytes),
            gpus=min(plan.gpus, self.gpus),
        )
