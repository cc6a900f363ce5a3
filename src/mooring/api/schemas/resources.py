"""Nodes and instance types."""

from typing import Annotated

from pydantic import Field

from mooring.api.schemas.common import Shape

_MOST_NODES = 10
_MOST_PLANS = 100


class Nodes(Shape):
    """How many nodes of a resource plan there are, and how many were asked for."""

    provisioned: int
    requested: int


class NodesByPlan(Shape):
    """By resource plan."""

    resource_plans: dict[str, Nodes]


class NodeRequest(Shape):
    """How many nodes of a resource plan are to be kept ready."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    request: Annotated[int, Field(strict=True, ge=0, le=_MOST_NODES)]


class NodesModify(Shape):
    """Plans that are not named stay as they are."""

    resource_plans: Annotated[list[NodeRequest], Field(max_length=_MOST_PLANS)]


class NodesModified(Shape):
    """The answer to a change."""

    message: str


class InstanceType(Shape):
    """What it offers on this machine."""

    memory: str
    cpu: int
    gpu: int
    billable_units_per_hour: float


class InstanceTypes(Shape):
    """By id."""

    instance_types: dict[str, InstanceType]
