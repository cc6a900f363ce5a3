"""Generic secrets."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from mooring.api.schemas.common import KeyValue, Shape
from mooring.api.schemas.resource_groups import GroupLabel
from mooring.api.schemas.secrets import SecretData

GENERIC_NAME_PATTERN = r"^[a-z0-9.-]{1,252}$"
_MOST_LABELS = 100
_Data = Annotated[SecretData, Field(min_length=1, max_length=1000)]
_GivenLabels = Annotated[list[GroupLabel], Field(max_length=_MOST_LABELS)]


class GenericSecretCreate(Shape):
    """What is needed to make a secret; values are Base64."""

    name: Annotated[str, StringConstraints(pattern=GENERIC_NAME_PATTERN)]
    data: _Data
    labels: _GivenLabels = Field(default_factory=list)


class GenericSecretModify(Shape):
    """Data that replace the present ones, and labels to be set, or with an empty value to be removed."""

    data: _Data
    labels: _GivenLabels = Field(default_factory=list)


class GenericSecretChanged(Shape):
    """The answer to a create or a change."""

    message: str
    name: str


class GenericSecret(Shape):
    """What may be told about a secret. For one of all groups also in which groups it can be used."""

    name: str
    created_at: datetime
    labels: list[KeyValue]
    resource_group_secrets_sync_status: dict[str, bool] | None = None


class GenericSecretList(Shape):
    """A page of secrets. `count` is the total when `$count=true` was asked for."""

    count: int
    resources: list[GenericSecret]
