"""Key figures."""

from mooring.api.schemas.common import Shape
from mooring.services.kpis import Column


class Kpis(Shape):
    """A table: the names of its columns, and its rows."""

    header: list[Column]
    rows: list[list[str | int]]
