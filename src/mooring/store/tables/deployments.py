"""Deployments, their revisions and replicas."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mooring.store.tables.base import Base, indices_of_lists
from mooring.store.types import utc_now


class Deployment(Base):
    """What is served under one URL for as long as the row lives.

    `serving_revision_id` is the revision that the gateway sends requests to. `generation` grows with every change that
    a client asks for, so that a controller notices when it decided on something older. `model_name` is the name under
    `/models/`, when the deployment serves a registered model.
    """

    __tablename__ = "deployments"
    __table_args__ = (
        *indices_of_lists("scenario_id", "executable_id", "status"),
        Index(None, "configuration_id", "created_at", "id"),
        # For controllers, which ask again and again which ones need something:
        Index(None, "status", "target_status", "id"),
        Index(None, "serving_revision_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    resource_group: Mapped[str] = mapped_column(ForeignKey("resource_groups.id"))
    configuration_id: Mapped[str] = mapped_column(ForeignKey("configurations.id"))
    configuration_name: Mapped[str] = mapped_column(String(256))
    scenario_id: Mapped[str]
    executable_id: Mapped[str]
    status: Mapped[str] = mapped_column(String(16))
    status_message: Mapped[str] = mapped_column(Text, default="")
    target_status: Mapped[str] = mapped_column(String(16))
    last_operation: Mapped[str] = mapped_column(String(16))
    latest_running_configuration_id: Mapped[str | None]
    ttl: Mapped[str | None]
    model_name: Mapped[str | None] = mapped_column(index=True)
    serving_revision_id: Mapped[str | None]
    generation: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    modified_at: Mapped[datetime] = mapped_column(default=utc_now)
    submission_time: Mapped[datetime | None]
    start_time: Mapped[datetime | None]
    completion_time: Mapped[datetime | None]

    lease_token: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None]

    revisions: Mapped[list["Revision"]] = relationship(
        order_by="Revision.number", cascade="all, delete-orphan", back_populates="deployment"
    )


class Revision(Base):
    """A deployment rendered with one configuration; `spec` never changes (see `mooring.domain.revisions`).

    `number` tells in which order they were wanted: one that a rollout returns to gets the highest once more.
    """

    __tablename__ = "revisions"

    id: Mapped[str] = mapped_column(primary_key=True)
    deployment_id: Mapped[str] = mapped_column(ForeignKey("deployments.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    configuration_id: Mapped[str]
    spec: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    switched_at: Mapped[datetime | None]
    """When the gateway was first seen to send requests here."""
    released_at: Mapped[datetime | None]
    """When the gateway was seen to send no more requests here."""
    model_folder: Mapped[str | None] = mapped_column(Text)
    """Where its model lies on this machine: what was fetched first stays what it serves."""
    image: Mapped[str | None] = mapped_column(Text)
    """What the runtime has made of its image's name: what a tag meant first stays what it serves."""

    rollout: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """How it is to be watched (see `mooring.domain.rollouts`)."""
    returned: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """It serves again, because another one has failed: `from_configuration_id`, `reason` and `at` (a moment)."""

    deployment: Mapped[Deployment] = relationship(back_populates="revisions")
    replicas: Mapped[list["Replica"]] = relationship(
        order_by="Replica.created_at", cascade="all, delete-orphan", back_populates="revision"
    )


class Replica(Base):
    """One running copy of a revision; the row outlives it, because its logs can still be asked for."""

    __tablename__ = "replicas"

    id: Mapped[str] = mapped_column(primary_key=True)
    revision_id: Mapped[str] = mapped_column(ForeignKey("revisions.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ready_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    stop_requested_at: Mapped[datetime | None]
    end_seen: Mapped[bool] = mapped_column(default=True)
    """Whether somebody saw its end; nobody does when the machine restarts."""
    forgotten: Mapped[bool] = mapped_column(default=False)
    """The runtime keeps nothing of it any more but its logs."""
    reason: Mapped[str] = mapped_column(Text, default="")

    revision: Mapped[Revision] = relationship(back_populates="replicas")
