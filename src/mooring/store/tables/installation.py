"""What the control planes of one store share."""

from datetime import datetime

from sqlalchemy import LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mooring.store.tables.base import Base
from mooring.store.types import utc_now


class StoreFact(Base):
    """A fact about the store itself, by name."""

    __tablename__ = "store_facts"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class SigningKey(Base):
    """A key that signs access tokens. The newest signs, all are accepted."""

    __tablename__ = "signing_keys"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    private_key: Mapped[bytes] = mapped_column(LargeBinary)
    """PKCS 8, sealed."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class WorkLease(Base):
    """The right to do something that only one control plane does at a time, by its name."""

    __tablename__ = "work_leases"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    token: Mapped[str | None]
    expires_at: Mapped[datetime | None]


class NodeRequest(Base):
    """How many nodes of a resource plan were asked to be kept ready."""

    __tablename__ = "node_requests"

    resource_plan: Mapped[str] = mapped_column(String(64), primary_key=True)
    requested: Mapped[int]
