"""Where templates come from: git repositories, and the folders in them that are synced. Of the whole installation."""

from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mooring.store.tables.base import Base
from mooring.store.types import utc_now


class Repository(Base):
    """A git repository and the credentials for it."""

    __tablename__ = "repositories"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    url: Mapped[str] = mapped_column(String(1024))
    url_key: Mapped[str] = mapped_column(String(1024), unique=True)
    """The url as urls are compared: in lower case, without a slash at the end."""
    credentials: Mapped[bytes] = mapped_column(LargeBinary)
    """`{"username", "password"}`, sealed."""
    status: Mapped[str] = mapped_column(String(16))
    status_message: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    modified_at: Mapped[datetime] = mapped_column(default=utc_now)


class Application(Base):
    """A folder of templates in a repository, at a revision, and how its last sync went."""

    __tablename__ = "applications"
    __table_args__ = (UniqueConstraint("url_key", "revision", "path"),)

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    repository_url: Mapped[str] = mapped_column(String(1024))
    url_key: Mapped[str] = mapped_column(String(1024))
    revision: Mapped[str]
    path: Mapped[str] = mapped_column(String(1024))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    modified_at: Mapped[datetime] = mapped_column(default=utc_now)

    health_status: Mapped[str] = mapped_column(String(16), default="Unknown")
    sync_status: Mapped[str] = mapped_column(String(16), default="Unknown")
    message: Mapped[str] = mapped_column(Text, default="")
    synced_revision: Mapped[str | None]
    """The commit that the last sync has read."""
    sync_started_at: Mapped[datetime | None]
    sync_finished_at: Mapped[datetime | None]
    reconciled_at: Mapped[datetime | None]
    resources: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """Per template: `{"name", "kind", "status", "message"}`."""
    refresh_requested_at: Mapped[datetime | None]
    """When a sync was last asked for; it has run when `sync_started_at` is later."""
