"""Pages of resource groups: `Prefer: maxpagesize=N` asks for the first, its `continueToken` for the next.

A token says behind which group the page begins, so that groups that are made meanwhile neither repeat nor hide others.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mooring.errors import InvalidRequest
from mooring.services.paging import Place
from mooring.store.tables import ResourceGroup

_PREFERENCE = re.compile(r"(?:odata\.)?maxpagesize\s*=\s*\"?([0-9]{1,9})\"?", re.IGNORECASE)


@dataclass(frozen=True)
class GroupPage:
    """At most `top` groups, after the first `skip` of those behind `after`."""

    top: int
    skip: int
    after: Place | None = None

    def cut(self, rows: Sequence[ResourceGroup]) -> tuple[Sequence[ResourceGroup], str | None]:
        """This page of all rows (newest first), and the token of the next one when there is one."""
        behind = [row for row in rows if self.after is None or _key(row) < (self.after.created_at, self.after.id)]
        page = behind[self.skip : self.skip + self.top]
        is_last = self.skip + len(page) >= len(behind)
        return page, None if is_last or not page else _token(page[-1])


def preferred_size(headers: Sequence[str]) -> int | None:
    """What `Prefer: maxpagesize=N` asks for; a preference that cannot be read is not looked at (RFC 7240)."""
    given = (part.split(";")[0].strip() for header in headers for part in header.split(","))
    sizes = [int(match[1]) for part in given if (match := _PREFERENCE.fullmatch(part))]
    return sizes[0] if sizes and sizes[0] > 0 else None


def place_of(token: str) -> Place:
    """Where the page begins that this token stands for. Raises InvalidRequest."""
    try:
        text = base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
        created_at, _, group_id = text.partition(" ")
        return Place(datetime.fromisoformat(created_at).astimezone(UTC), group_id)
    except (ValueError, OverflowError):
        raise InvalidRequest("continueToken: is none of ours; give one as an answer had it, or none") from None


def _token(last: ResourceGroup) -> str:
    return base64.urlsafe_b64encode(f"{last.created_at.isoformat()} {last.id}".encode()).decode()


def _key(row: ResourceGroup) -> tuple[datetime, str]:
    return row.created_at, row.id
