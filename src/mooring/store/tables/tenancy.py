"""Who there is: resource groups and clients."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from mooring.store.tables.base import Base, Labels
from mooring.store.types import utc_now


class ResourceGroup(Base):
    """A tenant of this installation."""

    __tablename__ = "resource_groups"

    id: Mapped[str] = mapped_column(primary_key=True)
    labels: Mapped[Labels] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Client(Base):
    """Somebody who can get tokens. The secret itself is not kept."""

    __tablename__ = "clients"

    id: Mapped[str] = mapped_column(primary_key=True)
    secret_hash: Mapped[str]
    previous_secret_hash: Mapped[str | None]
    previous_secret_until: Mapped[datetime | None]
    """Until when the secret before this one is accepted as well."""
    role: Mapped[str] = mapped_column(String(16), default="admin")
    """`viewer`, `editor` or `admin`."""
    groups: Mapped[list[str]] = mapped_column(default=lambda: ["*"])
    """The resource groups that it may use; `*` stands for all."""
    tokens_valid_from: Mapped[datetime | None]
    """Tokens that were issued before are worth nothing."""
    deleted_at: Mapped[datetime | None]
    """A deleted client stays known until its last token has run out."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
