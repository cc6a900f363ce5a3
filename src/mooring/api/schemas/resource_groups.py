"""Resource groups."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from mooring.api.schemas.common import KeyValue, Shape

GROUP_ID_PATTERN = r"^[a-zA-Z0-9][a-zA-Z0-9.-]{1,251}[a-zA-Z0-9]$"
GroupId = Annotated[str, StringConstraints(pattern=GROUP_ID_PATTERN)]
_LABEL_KEY = r"^ext\.ai\.sap\.com/(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"


class GroupLabel(Shape):
    """A label of a resource group."""

    key: Annotated[str, StringConstraints(max_length=63, pattern=_LABEL_KEY)]
    value: Annotated[str, StringConstraints(max_length=5000, pattern=r"^[^\x00]*$")]


_MOST_LABELS = 100


class ResourceGroupCreate(Shape):
    """What is needed to make a resource group."""

    resource_group_id: GroupId
    labels: list[GroupLabel] = Field(default_factory=list, max_length=_MOST_LABELS)


class ResourceGroupCreated(Shape):
    """The answer to a create."""

    resource_group_id: str
    tenant_id: str
    zone_id: str


class ResourceGroupModify(Shape):
    """The labels that replace the present ones."""

    labels: list[GroupLabel] = Field(max_length=_MOST_LABELS)


class ResourceGroup(Shape):
    """A tenant of this installation."""

    resource_group_id: str
    tenant_id: str
    zone_id: str
    created_at: datetime
    labels: list[KeyValue]
    status: Literal["PROVISIONED"]
    status_message: str


class ResourceGroupList(Shape):
    """A page of resource groups. `count` is the total when `$count=true` was asked for."""

    count: int
    resources: list[ResourceGroup]
    continue_token: str = Field(default="", description="Leads to the next page; absent on the last one.")
