"""The names that a body gives to its columns, against those of the signature."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from mooring.modelserver.rows import Layout, Shape
from mooring.modelserver.schema import Field


@dataclass(frozen=True, slots=True)
class Order:
    """Where the signature's columns stand in a row of the body."""

    places: Sequence[int] | None
    """None when they are all that is there, in the signature's order."""
    width: int
    """How many values a row of the body has."""


class Headings:
    """Tells which column of a table is which of the model's."""

    def __init__(self, names: Sequence[str | None], *, are_any_taken: bool = False) -> None:
        """`are_any_taken`: columns without a name go by their place, whatever they are called."""
        self._names = list(names)
        self._natural = Order(None, len(names))
        self._is_named = names[0] is not None
        self._are_any_taken = are_any_taken

    @property
    def own(self) -> list[str | None] | None:
        """What stands for `columns` where rows come alone."""
        return self._names if self._is_named else None

    def order(self, columns: object) -> Order | None:
        """From the value of `columns`, None where it is missing. None when MLflow has to decide."""
        if columns is None or not self._is_named:
            is_good = not self._is_named and (columns is None or self._are_called_anything(columns))
            return self._natural if is_good else None
        if columns == self._names:
            return self._natural
        return self._sought(columns) if _are_names(columns) else None

    def _are_called_anything(self, columns: object) -> bool:
        return self._are_any_taken and _are_names(columns) and len(columns) == len(self._names)

    def _sought(self, columns: list[str]) -> Order | None:
        places = {name: at for at, name in enumerate(columns)}
        found = [places.get(str(name), -1) for name in self._names]
        return None if -1 in found else Order(found, len(columns))


def headings_of(layout: Layout, fields: Sequence[Field]) -> Headings | None:
    """None when the model takes no table."""
    if layout.shape is not Shape.TENSORS:
        return Headings(layout.names)
    shape = fields[0].shape
    is_table = len(fields) == 1 and layout.names[0] is None and len(shape) == 2 and shape[1] > 0
    return Headings([None] * shape[1], are_any_taken=True) if is_table else None


def _are_names(columns: object) -> TypeGuard[list[str]]:
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        return False
    return len(set(columns)) == len(columns)
