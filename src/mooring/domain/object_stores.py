"""Object stores: their types, what has to be known about each, and the access to one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

DEFAULT_STORE = "default"
"""What outputs are written to; without a secret of this name it is the installation's own store."""


class StoreType(Enum):
    """The types in the API's spelling; read without regard to case."""

    S3 = "S3"
    OSS = "oss"
    WEBHDFS = "webhdfs"
    AZURE = "azure"
    GCS = "gcs"

    @classmethod
    def _missing_(cls, value: object) -> "StoreType | None":
        given = str(value).lower()
        return next((member for member in cls if member.value.lower() == given), None)


REQUIRED_KEYS: Mapping[StoreType, tuple[str, ...]] = {
    StoreType.S3: ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    StoreType.OSS: ("BUCKET", "ENDPOINT", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY"),
    StoreType.WEBHDFS: ("HDFS_NAMENODE",),
    StoreType.AZURE: ("CONTAINER_URI", "STORAGE_ACCESS_KEY"),
    StoreType.GCS: ("BUCKET", "PRIVATE_KEY"),
}
"""Without these in `data` nobody can reach a store of the type."""


@dataclass(frozen=True)
class StoreAccess:
    """How one object store is reached. `data` are the credentials by their names, and is never shown.

    `properties`: `bucket`, `endpoint`, `region`, `pathPrefix`, `verifyssl`, `usehttps`, as far as they are known.
    """

    type: StoreType
    properties: Mapping[str, str]
    data: Mapping[str, str] = field(repr=False)
