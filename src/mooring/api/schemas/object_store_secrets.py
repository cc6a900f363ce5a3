"""Object store secrets."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from mooring.api.schemas.common import Shape
from mooring.api.schemas.secrets import SecretData
from mooring.domain.object_stores import StoreType

STORE_NAME_PATTERN = r"^[a-z0-9.-]{1,254}$"
"""As a name is looked up, with or without SAP's suffix."""
_NAME = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
_Name = Annotated[str, StringConstraints(max_length=233, pattern=_NAME)]
_Property = Annotated[str, StringConstraints(max_length=1024, pattern=r"^[^\x00]*$")]
# Credentials belong into data: what is here is shown.
_Address = Annotated[str, StringConstraints(max_length=1024, pattern=r"^[^\x00@?#]*$")]
# It becomes a part of a host's name.
_Region = Annotated[str, StringConstraints(max_length=128, pattern=r"^[A-Za-z0-9._-]*$")]
_Switch = Literal["0", "1"]


class ObjectStoreSecretModify(Shape):
    """All of it: what is not given is gone. `data` holds the credentials, by the names that the type asks for."""

    name: _Name | None = None
    type: StoreType
    bucket: _Property | None = None
    endpoint: _Address | None = None
    region: _Region | None = None
    path_prefix: _Property | None = None
    verifyssl: _Switch = "1"
    usehttps: _Switch = "1"
    data: Annotated[SecretData, Field(max_length=100)]

    def properties(self) -> dict[str, str]:
        """What may be shown, by the API's names, as far as it is given."""
        names = {"bucket", "endpoint", "region", "path_prefix", "verifyssl", "usehttps"}
        return {name: value for name, value in self.model_dump(by_alias=True, include=names).items() if value}


class ObjectStoreSecretCreate(ObjectStoreSecretModify):
    """What is needed to make an object store secret."""

    name: _Name


class ObjectStoreSecret(Shape):
    """What may be told about it. `metadata` has keys as AI Core has them: `storage.ai.sap.com/type` and so on."""

    name: str
    metadata: dict[str, str]


class ObjectStoreSecretList(Shape):
    """A page of object store secrets. `count` is the total when `$count=true` was asked for."""

    count: int
    resources: list[ObjectStoreSecret]
