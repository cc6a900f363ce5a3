"""What a client can be called, and which resource groups it can be bound to."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from mooring.domain.roles import ALL_GROUPS, Role
from mooring.errors import InvalidRequest
from mooring.store.tables import ResourceGroup

_LONGEST_ID = 200


def usable_id(client_id: str) -> str:
    """The id, when it can be sent as one (SAP's have spaces, `!` and `|` in them). Raises InvalidRequest."""
    if not 1 <= len(client_id) <= _LONGEST_ID or not client_id.isprintable() or client_id != client_id.strip():
        raise InvalidRequest(
            f"{client_id!r} cannot be a client's id: it has 1 to {_LONGEST_ID} printable characters, and no space at "
            "its ends"
        )
    if ":" in client_id:
        raise InvalidRequest(f"{client_id!r} cannot be a client's id: HTTP Basic ends an id at the first colon")
    return client_id


def groups_of(session: Session, role: Role, groups: Sequence[str]) -> list[str]:
    """What a client of this role is bound to: destinations lie in no group. Raises InvalidRequest."""
    return [] if role is Role.DESTINATIONS else existing_groups(session, groups)


def existing_groups(session: Session, groups: Sequence[str]) -> list[str]:
    """Each once; only `*` when that is among them. Raises InvalidRequest for a group that does not exist."""
    wanted = list(dict.fromkeys(groups))
    if ALL_GROUPS in wanted:
        return [ALL_GROUPS]
    known = set(session.scalars(select(ResourceGroup.id)))
    if unknown := [group for group in wanted if group not in known]:
        raise InvalidRequest(
            f"there is no resource group {unknown[0]!r}: there are {', '.join(sorted(known))}; "
            "POST /v2/admin/resourceGroups makes one"
        )
    return wanted
