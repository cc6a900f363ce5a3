"""Generic secrets: values for containers, sealed in the store and never shown.

A secret belongs to a scope: a resource group (its id), the tenant (`TENANT`), or all groups at once (`ALL_GROUPS`).
The first and the last can be attached to containers; a group's own comes before one of all groups with the same name.
A name is taken once per scope; creating it again raises Conflict (409, which the Python SDK knows for this call).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mooring.errors import Conflict, InvalidRequest, NotFound
from mooring.services import base64_values, resource_groups
from mooring.services import labels as label_rules
from mooring.services.paging import Page
from mooring.store.tables import GenericSecret, Labels, ResourceGroup
from mooring.store.types import utc_now
from mooring.store.vault import Vault

TENANT = ""
ALL_GROUPS = "*"
MOST_OF_ALL_GROUPS = 5


@dataclass(frozen=True)
class NewSecret:
    """What a client gives; `data` is `{key: base64}`. Labels with an empty value are none."""

    name: str
    data: Mapping[str, str] = field(repr=False)
    labels: Labels = field(default_factory=list)


def create(session: Session, vault: Vault, scope: str, new: NewSecret) -> GenericSecret:
    """Raises InvalidRequest; Conflict when the name is taken."""
    base64_values.check(new.data)
    label_rules.refuse_repeated_keys(new.labels)
    _lock(session, scope)
    if session.get(GenericSecret, (scope, new.name)) is not None:
        raise Conflict(f"the secret {new.name!r} exists already {_where(scope)}: change it with PATCH")
    if scope == ALL_GROUPS and count(session, scope) >= MOST_OF_ALL_GROUPS:
        raise InvalidRequest(
            f"there are {MOST_OF_ALL_GROUPS} secrets for all resource groups already, and no more are allowed: "
            "delete one, or create this one in the groups that need it"
        )
    data = vault.seal_values(new.data, place=_place(scope, new.name))
    created = GenericSecret(scope=scope, name=new.name, labels=_merged([], new.labels), data=data)
    session.add(created)
    session.flush()
    return created


def get(session: Session, scope: str, name: str) -> GenericSecret:
    """Raises NotFound; InvalidRequest when there is no such group."""
    _require(session, scope)
    found = session.get(GenericSecret, (scope, name))
    if found is None:
        raise NotFound(f"there is no secret {name!r} {_where(scope)}")
    return found


def list_of(session: Session, scope: str, page: Page) -> Sequence[GenericSecret]:
    """The secrets of a scope, newest first."""
    _require(session, scope)
    query = select(GenericSecret).where(GenericSecret.scope == scope)
    ordered = query.order_by(GenericSecret.created_at.desc(), GenericSecret.name.desc())
    return session.scalars(ordered.limit(page.top).offset(page.skip)).all()


def count(session: Session, scope: str) -> int:
    """How many secrets a scope has."""
    query = select(func.count()).select_from(GenericSecret).where(GenericSecret.scope == scope)
    return session.scalar(query) or 0


def change(session: Session, vault: Vault, scope: str, changed: NewSecret) -> None:
    """Replace the data. Labels that are given replace those of the same key; an empty value removes one.

    Raises InvalidRequest, NotFound.
    """
    base64_values.check(changed.data)
    label_rules.refuse_repeated_keys(changed.labels)
    row = get(session, scope, changed.name)
    row.data = vault.seal_values(changed.data, place=_place(scope, changed.name))
    row.labels = _merged(row.labels, changed.labels)
    row.modified_at = utc_now()


def remove(session: Session, scope: str, name: str) -> None:
    """Raises NotFound."""
    session.delete(get(session, scope, name))


def opened(session: Session, vault: Vault, group: str, name: str) -> dict[str, bytes]:
    """What a container of the group gets: the values, decoded. Raises NotFound; CannotOpen (`mooring.store.vault`)."""
    for scope in (group, ALL_GROUPS):
        row = session.get(GenericSecret, (scope, name))
        if row is not None:
            values = vault.open_values(row.data, place=_place(scope, name))
            return {key: base64_values.decode(value) for key, value in values.items()}
    raise NotFound(f"there is no secret {name!r} in the resource group {group!r}, nor one for all groups")


def _require(session: Session, scope: str) -> None:
    if scope not in (TENANT, ALL_GROUPS):
        resource_groups.require(session, scope)


def _lock(session: Session, scope: str) -> None:
    """Until the end of the transaction the group is not removed, and nobody else creates one for all groups.

    Without it a secret that is created while its group is removed would be there for the next group of that name.
    """
    _require(session, scope)
    group = resource_groups.DEFAULT_GROUP if scope in (TENANT, ALL_GROUPS) else scope
    locked = select(ResourceGroup.id).where(ResourceGroup.id == group).with_for_update(read=scope != ALL_GROUPS)
    if session.scalar(locked) is None:
        resource_groups.require(session, scope)


def _merged(present: Labels, given: Labels) -> Labels:
    values = {label["key"]: label["value"] for label in (*present, *given)}
    return [{"key": key, "value": value} for key, value in values.items() if value]


def _place(scope: str, name: str) -> str:
    return f"generic_secrets/{scope}/{name}"


def _where(scope: str) -> str:
    match scope:
        case "":
            return "of the tenant"
        case "*":
            return "for all resource groups"
        case _:
            return f"in the resource group {scope!r}"
