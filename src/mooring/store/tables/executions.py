"""Executions, and the schedules that start them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

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

    lease_token: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None]


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
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    modified_at: Mapped[datetime] = mapped_column(default=utc_now)
