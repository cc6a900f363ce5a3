"""Destinations: names that point somewhere, of the whole installation."""

from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from mooring.store.tables.base import Base
from mooring.store.types import utc_now


class Destination(Base):
    """One destination. What clients give may hold secrets under any name, so all of it is sealed."""

    __tablename__ = "destinations"

    level: Mapped[str] = mapped_column(String(16), primary_key=True)
    """`instance` or `subaccount` (see `mooring.domain.destinations`)."""
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    """The properties, sealed."""
    moves: Mapped[bytes] = mapped_column(LargeBinary)
    """`[{"URL", "Since", "By"}]`, newest first, sealed: the first is where it points now."""
    pointer: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the gateway has to know (`mooring.domain.destinations.Pointer`); empty when it leads out of here."""
    labels: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """`[{"key", "values"}]`"""
    version: Mapped[int]
    """One more with each change."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    modified_at: Mapped[datetime] = mapped_column(default=utc_now)
