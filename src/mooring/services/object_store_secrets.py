"""Object store secrets: where `ai://<name>/…` of a resource group lies, and the credentials for it.

What is not secret of them can be listed; the credentials are sealed. A name is taken once per group; creating it again
raises Conflict (409, which the Python SDK knows for this call). `<name>-object-store-secret`, as AI Core shows names,
leads to `<name>` unless something has that very name.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mooring.domain.object_stores import REQUIRED_KEYS, StoreAccess, StoreType
from mooring.errors import Conflict, InvalidRequest, NotFound
from mooring.services import base64_values, resource_groups
from mooring.services.paging import Page
from mooring.store.tables import ObjectStoreSecret
from mooring.store.types import utc_now
from mooring.store.vault import Vault

SUFFIX = "-object-store-secret"
_SHOWN_DATA: Mapping[StoreType, Mapping[str, str]] = {
    StoreType.S3: {},
    StoreType.OSS: {"BUCKET": "bucket", "ENDPOINT": "endpoint", "REGION": "region"},
    StoreType.WEBHDFS: {"HDFS_NAMENODE": "hdfsNameNode"},
    StoreType.AZURE: {
        "CONTAINER_URI": "containerUri",
        "REGION": "region",
        "SUBSCRIPTION_ID": "subscriptionId",
        "TENANT_ID": "tenantId",
    },
    StoreType.GCS: {"BUCKET": "bucket"},
}
"""What is given among the credentials and is none. (`HEADERS` of webhdfs carry tokens: they are not shown.)"""
_PROJECT = re.compile(r"[A-Za-z0-9:._-]{1,128}")
_ADDRESSES = frozenset({"endpoint", "hdfsNameNode", "containerUri"})


@dataclass(frozen=True)
class NewSecret:
    """What a client gives. `properties`: `bucket`, `endpoint`, `region`, `pathPrefix`, `verifyssl`, `usehttps`."""

    name: str
    type: StoreType
    data: Mapping[str, str] = field(repr=False)
    properties: Mapping[str, str] = field(default_factory=dict)


def create(session: Session, vault: Vault, group: str, new: NewSecret) -> ObjectStoreSecret:
    """Raises InvalidRequest; Conflict when the name is taken."""
    _check(new)
    resource_groups.require(session, group)
    if session.get(ObjectStoreSecret, (group, new.name)) is not None:
        raise Conflict(
            f"the object store secret {new.name!r} exists already in the resource group {group!r}: change it with PATCH"
        )
    created = ObjectStoreSecret(resource_group=group, name=new.name)
    _fill(created, vault, new)
    session.add(created)
    session.flush()
    return created


def get(session: Session, group: str, name: str) -> ObjectStoreSecret:
    """Raises NotFound; InvalidRequest when there is no such group."""
    resource_groups.require(session, group)
    found = find(session, group, name)
    if found is None:
        raise NotFound(f"there is no object store secret {name!r} in the resource group {group!r}")
    return found


def find(session: Session, group: str, name: str) -> ObjectStoreSecret | None:
    """By its name, or by the name with the suffix."""
    for candidate in dict.fromkeys((name, name.removesuffix(SUFFIX))):
        found = session.get(ObjectStoreSecret, (group, candidate))
        if found is not None:
            return found
    return None


def list_of(session: Session, group: str, page: Page) -> Sequence[ObjectStoreSecret]:
    """Those of a group, newest first."""
    resource_groups.require(session, group)
    query = select(ObjectStoreSecret).where(ObjectStoreSecret.resource_group == group)
    ordered = query.order_by(ObjectStoreSecret.created_at.desc(), ObjectStoreSecret.name.desc())
    return session.scalars(ordered.limit(page.top).offset(page.skip)).all()


def count(session: Session, group: str) -> int:
    """How many a group has."""
    query = select(func.count()).select_from(ObjectStoreSecret).where(ObjectStoreSecret.resource_group == group)
    return session.scalar(query) or 0


def change(session: Session, vault: Vault, group: str, name: str, changed: NewSecret) -> ObjectStoreSecret:
    """Replace everything but the name. Raises InvalidRequest, NotFound."""
    _check(changed)
    row = get(session, group, name)
    if changed.name.removesuffix(SUFFIX) != row.name.removesuffix(SUFFIX):
        raise InvalidRequest(
            f"name is {changed.name!r} in the body, {row.name!r} in the path: a name cannot be changed"
        )
    _fill(row, vault, changed)
    row.modified_at = utc_now()
    return row


def remove(session: Session, group: str, name: str) -> ObjectStoreSecret:
    """What lies in the object store stays there. Raises NotFound."""
    row = get(session, group, name)
    session.delete(row)
    return row


def opened(vault: Vault, row: ObjectStoreSecret) -> StoreAccess:
    """What is needed to read and write there. Raises CannotOpen (`mooring.store.vault`)."""
    data = vault.open_values(row.data, place=_place(row))
    return StoreAccess(StoreType(row.type), row.properties, data)


def _check(new: NewSecret) -> None:
    missing = [key for key in REQUIRED_KEYS[new.type] if not new.data.get(key)]
    if missing:
        needed = " and ".join(REQUIRED_KEYS[new.type])
        raise InvalidRequest(f"data has no {' and no '.join(missing)}: the type {new.type.value} needs {needed}")
    if new.type is StoreType.GCS:
        base64_values.check({"PRIVATE_KEY": new.data["PRIVATE_KEY"]})


def _fill(row: ObjectStoreSecret, vault: Vault, new: NewSecret) -> None:
    row.type = new.type.value
    row.properties = dict(_properties(new))
    row.data = vault.seal_values(new.data, place=_place(row))


def _properties(new: NewSecret) -> Iterator[tuple[str, str]]:
    shown = _SHOWN_DATA[new.type]
    among_data = {shown[key]: value for key, value in new.data.items() if key in shown and value}
    if new.type is StoreType.GCS and (project := _project_of(new.data["PRIVATE_KEY"])):
        among_data["projectId"] = project
    for name, value in {**among_data, **new.properties}.items():
        yield name, _without_credentials(value) if name in _ADDRESSES else value


def _project_of(private_key: str) -> str | None:
    """A service account's file says which project it belongs to."""
    try:
        account = orjson.loads(base64_values.decode(private_key))
    except orjson.JSONDecodeError:
        return None
    project = account.get("project_id") if isinstance(account, dict) else None
    return project if isinstance(project, str) and _PROJECT.fullmatch(project) else None


def _without_credentials(address: str) -> str:
    """An address may carry a password before the host, or a signature behind the question mark."""
    try:
        parts = urlsplit(address)
    except ValueError:
        raise InvalidRequest("an address in data, or endpoint, is no URL: a bracket in it is not closed") from None
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rpartition("@")[2], "", ""))


def _place(row: ObjectStoreSecret) -> str:
    return f"object_store_secrets/{row.resource_group}/{row.name}"
