"""What can be configured: scenarios and their executables, of the whole installation."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mooring.store.tables.base import Base, Labels
from mooring.store.types import utc_now


class Scenario(Base):
    """A use case that executables belong to."""

    __tablename__ = "scenarios"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(256))
    description: Mapped[str] = mapped_column(Text, default="")
    labels: Mapped[Labels] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    modified_at: Mapped[datetime] = mapped_column(default=utc_now)


class Executable(Base):
    """Something that configurations run: deployable (serving) or not (a workflow)."""

    __tablename__ = "executables"

    id: Mapped[str] = mapped_column(primary_key=True)
    scenario_id: Mapped[str] = mapped_column(ForeignKey("scenarios.id"), index=True)
    name: Mapped[str] = mapped_column(String(256))
    version_id: Mapped[str]
    deployable: Mapped[bool]
    description: Mapped[str] = mapped_column(Text, default="")
    labels: Mapped[Labels] = mapped_column(default=list)
    parameters: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    input_artifacts: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    output_artifacts: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    application: Mapped[str | None] = mapped_column(String(64), index=True)
    """Whose sync has made it; nobody's, when it is built in."""
    file: Mapped[str] = mapped_column(String(1024), default="")
    """Where in the application's folder its template lies."""
    template: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """`{"body", "cascades"}`: what is filled in and run (`mooring.templates.trees.to_json`)."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    modified_at: Mapped[datetime] = mapped_column(default=utc_now)
