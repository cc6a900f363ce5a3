"""Secrets. What is secret in them is sealed (see `mooring.store.vault`); everything else can be listed."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from mooring.store.tables.base import Base, Labels
from mooring.store.types import utc_now


class GenericSecret(Base):
    """Values for containers: of a resource group, of the tenant, or of all groups at once."""

    __tablename__ = "generic_secrets"

    scope: Mapped[str] = mapped_column(primary_key=True)
    """The resource group; empty for the tenant's own; `*` for those of all groups. Neither is a group's id."""
    name: Mapped[str] = mapped_column(primary_key=True)
    labels: Mapped[Labels] = mapped_column(default=list)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    """`{key: base64}`, sealed."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    modified_at: Mapped[datetime] = mapped_column(default=utc_now)


class ObjectStoreSecret(Base):
    """Where `ai://<name>/…` of a resource group lies, and the credentials for it."""

    __tablename__ = "object_store_secrets"

    resource_group: Mapped[str] = mapped_column(ForeignKey("resource_groups.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(String(16))
    properties: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What is not secret: `bucket`, `endpoint`, `region`, `pathPrefix`, `verifyssl`, `usehttps`."""
    data: Mapped[bytes] = mapped_column(LargeBinary)
    """The credentials by their names, sealed."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    modified_at: Mapped[datetime] = mapped_column(default=utc_now)


class DockerRegistrySecret(Base):
    """Credentials for container registries, of the whole installation."""

    __tablename__ = "docker_registry_secrets"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    """`{".dockerconfigjson": text}`, sealed."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    modified_at: Mapped[datetime] = mapped_column(default=utc_now)
