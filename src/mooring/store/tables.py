"""The tables. A column's meaning is the AI API's field of the same name unless a comment says more."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from mooring.store.types import UtcDateTime, utc_now

Labels = list[dict[str, str]]
"""`[{"key": …, "value": …}]`"""
Bindings = list[dict[str, str]]
"""`[{"key": …, "value": …}]` for parameters, `[{"key": …, "artifactId": …}]` for input artifacts."""


class Base(DeclarativeBase):
    """Maps Python types to columns, and names constraints so that migrations can refer to them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it from the class)
        datetime: UtcDateTime(),
        str: String(255),
        Labels: JSON(),
        dict[str, Any]: JSON(),
        list[dict[str, Any]]: JSON(),
        list[str]: JSON(),
    }


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
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


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
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    modified_at: Mapped[datetime] = mapped_column(default=utc_now)


class Artifact(Base):
    """A reference to data or a model; what lies behind the url is not checked at registration."""

    __tablename__ = "artifacts"
    __table_args__ = (Index(None, "resource_group", "created_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    resource_group: Mapped[str] = mapped_column(ForeignKey("resource_groups.id"))
    name: Mapped[str] = mapped_column(String(256))
    kind: Mapped[str]
    url: Mapped[str] = mapped_column(String(1024))
    scenario_id: Mapped[str]
    description: Mapped[str] = mapped_column(Text, default="")
    labels: Mapped[Labels] = mapped_column(default=list)
    execution_id: Mapped[str | None]
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
    __table_args__ = (Index(None, "resource_group", "created_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    resource_group: Mapped[str] = mapped_column(ForeignKey("resource_groups.id"))
    name: Mapped[str] = mapped_column(String(256))
    scenario_id: Mapped[str]
    executable_id: Mapped[str]
    parameter_bindings: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    input_artifact_bindings: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Deployment(Base):
    """What is served under one URL for as long as the row lives.

    `serving_revision_id` is the revision that the gateway sends requests to. `generation` grows with every change that
    a client asks for, so that a controller notices when it decided on something older. `model_name` is the name under
    `/models/`, when the deployment serves a registered model.
    """

    __tablename__ = "deployments"
    __table_args__ = (Index(None, "resource_group", "created_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    resource_group: Mapped[str] = mapped_column(ForeignKey("resource_groups.id"))
    configuration_id: Mapped[str] = mapped_column(ForeignKey("configurations.id"), index=True)
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
    """A deployment rendered with one configuration; `spec` never changes (see `mooring.domain.revisions`)."""

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
