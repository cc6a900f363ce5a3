"""Executions, the jobs that they consist of, and the schedules that start them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mooring.store.tables.base import Base, indices_of_lists
from mooring.store.types import utc_now


class Execution(Base):
    """One run of a configuration. `generation` grows with every change that a client asks for."""

    __tablename__ = "executions"
    __table_args__ = (
        *indices_of_lists("scenario_id", "executable_id", "status"),
        Index(None, "configuration_id", "created_at", "id"),
        Index(None, "execution_schedule_id", "created_at", "id"),
        # For controllers, which ask again and again which ones need something:
        Index(None, "status", "target_status", "id"),
        Index(None, "target_status", "status", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    resource_group: Mapped[str] = mapped_column(ForeignKey("resource_groups.id"))
    configuration_id: Mapped[str] = mapped_column(ForeignKey("configurations.id"))
    configuration_name: Mapped[str] = mapped_column(String(256))
    scenario_id: Mapped[str]
    executable_id: Mapped[str]
    execution_schedule_id: Mapped[str | None]
    status: Mapped[str] = mapped_column(String(16))
    status_message: Mapped[str] = mapped_column(Text, default="")
    status_details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    target_status: Mapped[str] = mapped_column(String(16))
    generation: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    modified_at: Mapped[datetime] = mapped_column(default=utc_now)
    submission_time: Mapped[datetime | None]
    start_time: Mapped[datetime | None]
    completion_time: Mapped[datetime | None]

    workflow: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What it runs, as it was when it was asked for: `{"body", "parameters", "inputs", "outputs"}`."""

    lease_token: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None]

    jobs: Mapped[list["Job"]] = relationship(
        order_by="Job.created_at", cascade="all, delete-orphan", back_populates="execution"
    )


class Job(Base):
    """One container of an execution (see `mooring.domain.jobs`): `order` never changes, `result` is what came out."""

    __tablename__ = "jobs"
    __table_args__ = (UniqueConstraint("execution_id", "node", "attempt"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    execution_id: Mapped[str] = mapped_column(ForeignKey("executions.id", ondelete="CASCADE"), index=True)
    node: Mapped[str] = mapped_column(Text)
    attempt: Mapped[int]
    order: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16), index=True)
    reason: Mapped[str] = mapped_column(Text, default="")
    exit_code: Mapped[int | None]
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    image: Mapped[str | None] = mapped_column(Text)
    """What the runtime has made of the image's name."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    stop_requested_at: Mapped[datetime | None]
    losses: Mapped[int] = mapped_column(default=0)
    """How often it has vanished through no fault of its own, and was begun again."""
    forgotten: Mapped[bool] = mapped_column(default=False)
    """The runtime keeps nothing of it any more but its logs."""

    execution: Mapped[Execution] = relationship(back_populates="jobs")


class ExecutionSchedule(Base):
    """When a configuration is run again and again. Whether it is active follows from `suspended` and `end`."""

    __tablename__ = "execution_schedules"
    __table_args__ = (
        *indices_of_lists(),
        Index(None, "configuration_id", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    resource_group: Mapped[str] = mapped_column(ForeignKey("resource_groups.id"))
    name: Mapped[str] = mapped_column(String(256))
    cron: Mapped[str]
    configuration_id: Mapped[str] = mapped_column(ForeignKey("configurations.id"))
    start: Mapped[datetime | None]
    end: Mapped[datetime | None]
    suspended: Mapped[bool] = mapped_column(default=False)
    next_run_at: Mapped[datetime | None] = mapped_column(index=True)
    """When it starts its next execution; None when that has to be worked out (anew), or when it never does."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    modified_at: Mapped[datetime] = mapped_column(default=utc_now)
