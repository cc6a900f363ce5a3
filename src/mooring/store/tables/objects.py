"""What executables are given: artifacts and configurations. They never change."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mooring.store.tables.base import Base, Labels, indices_of_lists
from mooring.store.types import utc_now


class Artifact(Base):
    """A reference to data or a model; what lies behind the url is not checked at registration."""

    __tablename__ = "artifacts"
    __table_args__ = indices_of_lists("scenario_id", "execution_id", "name", "kind")

    id: Mapped[str] = mapped_column(primary_key=True)
    resource_group: Mapped[str] = mapped_column(ForeignKey("resource_groups.id"))
    name: Mapped[str] = mapped_column(String(256))
    kind: Mapped[str]
    url: Mapped[str] = mapped_column(String(1024))
    scenario_id: Mapped[str]
    description: Mapped[str] = mapped_column(Text, default="")
    labels: Mapped[Labels] = mapped_column(default=list)
    execution_id: Mapped[str | None]
    configuration_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    modified_at: Mapped[datetime] = mapped_column(default=utc_now)


class ArtifactLabel(Base):
    """One label of an artifact, so that selectors can be answered in SQL; `Artifact.labels` has them in order."""

    __tablename__ = "artifact_labels"

    artifact_id: Mapped[str] = mapped_column(ForeignKey("artifacts.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(256), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class Configuration(Base):
    """Values for an executable's parameters and inputs; immutable."""

    __tablename__ = "configurations"
    __table_args__ = indices_of_lists("scenario_id", "executable_id")

    id: Mapped[str] = mapped_column(primary_key=True)
    resource_group: Mapped[str] = mapped_column(ForeignKey("resource_groups.id"))
    name: Mapped[str] = mapped_column(String(256))
    scenario_id: Mapped[str]
    executable_id: Mapped[str]
    parameter_bindings: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    input_artifact_bindings: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
