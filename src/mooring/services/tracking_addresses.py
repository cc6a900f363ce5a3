"""Where an execution tracks itself from inside: an address that holds the permission for it, and for nothing else.

The SDK in a container calls `<AICORE_TRACKING_ENDPOINT>/api/v1/metrics` without a token. So the address itself proves
who calls: it names the execution and its resource group, and ends in a MAC over both that only we can make. It can be
used for nothing but adding to what is tracked for that one execution, for as long as the execution exists.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

from mooring.store.vault import Vault

FOLDER = "/tracking/"
_PURPOSE = "tracking"
_SEPARATOR = "~"
"""Stands in no id and in no Base64, and needs no escape in a URL."""


@dataclass(frozen=True)
class TrackedExecution:
    """An execution, and the resource group that it belongs to."""

    id: str
    resource_group: str


@dataclass(frozen=True)
class TrackingAddresses:
    """Makes and recognises addresses. Usable from many threads."""

    key: bytes = field(repr=False)

    @classmethod
    def of(cls, vault: Vault) -> "TrackingAddresses":
        return cls(vault.derive(_PURPOSE))

    def permission(self, execution: TrackedExecution) -> str:
        """The part of an address that proves who calls."""
        return _SEPARATOR.join((execution.id, execution.resource_group, self._mac(execution)))

    def recognise(self, permission: str) -> TrackedExecution | None:
        """The execution that this permission was made for; None when we have not made it."""
        execution_id, _, rest = permission.partition(_SEPARATOR)
        group, _, mac = rest.partition(_SEPARATOR)
        execution = TrackedExecution(execution_id, group)
        return execution if hmac.compare_digest(mac.encode(), self._mac(execution).encode()) else None

    def _mac(self, execution: TrackedExecution) -> str:
        content = _SEPARATOR.join((execution.id, execution.resource_group)).encode()
        return base64.urlsafe_b64encode(hmac.digest(self.key, content, hashlib.sha256)).decode().rstrip("=")


def tracking_endpoint(public_url: str, execution: TrackedExecution, vault: Vault) -> str:
    """`AICORE_TRACKING_ENDPOINT` for an execution's environment: as secret as a password, but for this purpose only.

    `public_url` has no slash at its end.
    """
    return f"{public_url}{FOLDER}{TrackingAddresses.of(vault).permission(execution)}"
