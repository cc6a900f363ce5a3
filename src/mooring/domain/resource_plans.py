"""Resource plans: what one replica or step may use, by name."""

from dataclasses import dataclass

_GIB = 1024**3


@dataclass(frozen=True)
class ResourcePlan:
    """A size: processors, and resident memory in bytes."""

    name: str
    cpus: int
    memory_bytes: int


DEFAULT_PLAN = "starter"

RESOURCE_PLANS: dict[str, ResourcePlan] = {
    plan.name: plan
    for plan in (
        ResourcePlan("starter", cpus=1, memory_bytes=3 * _GIB),
        ResourcePlan("basic", cpus=3, memory_bytes=11 * _GIB),
        ResourcePlan("basic.8x", cpus=31, memory_bytes=116 * _GIB),
    )
}
