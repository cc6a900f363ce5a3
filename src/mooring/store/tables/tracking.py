"""What executions have measured: metrics, tags and custom info, per execution."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mooring.store.tables.base import Base, Labels
from mooring.store.types import utc_now

_RowNumber = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows only in a column of exactly the type INTEGER."""


class MetricResource(Base):
    """Everything that was tracked for one execution in one resource group. The execution itself need not be ours."""

    __tablename__ = "metric_resources"

    resource_group: Mapped[str] = mapped_column(primary_key=True)
    execution_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    modified_at: Mapped[datetime] = mapped_column(default=utc_now)
    custom_info_bytes: Mapped[int] = mapped_column(default=0)


class Metric(Base):
    """One measured value; `id` is the order of arrival."""

    __tablename__ = "metrics"
    __table_args__ = (
        ForeignKeyConstraint(
            ["resource_group", "execution_id"],
            ["metric_resources.resource_group", "metric_resources.execution_id"],
            ondelete="CASCADE",
        ),
        Index(None, "resource_group", "execution_id", "id"),
    )

    id: Mapped[int] = mapped_column(_RowNumber, primary_key=True, autoincrement=True)
    resource_group: Mapped[str]
    execution_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(256))
    value: Mapped[float]
    timestamp: Mapped[datetime]
    step: Mapped[int]
    labels: Mapped[Labels] = mapped_column(default=list)


class MetricText(Base):
    """A tag or a piece of custom info: one value per name."""

    __tablename__ = "metric_texts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["resource_group", "execution_id"],
            ["metric_resources.resource_group", "metric_resources.execution_id"],
            ondelete="CASCADE",
        ),
    )

    resource_group: Mapped[str] = mapped_column(primary_key=True)
    execution_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    """`tag` or `custom_info`."""
    name: Mapped[str] = mapped_column(String(256), primary_key=True)
    position: Mapped[int]
    """The order in which names first came."""
    value: Mapped[str] = mapped_column(Text)
