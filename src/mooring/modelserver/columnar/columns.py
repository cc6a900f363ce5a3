"""Parsed JSON values of one column to an array of the signature's type, or None when MLflow has to decide."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum, auto
from itertools import chain
from typing import Any

import numpy as np

from mooring.modelserver.columnar.numbers import cast_exactly
from mooring.modelserver.rows import Array

Values = Sequence[Any]


class Source(Enum):
    """What MLflow makes of a body before it looks at types."""

    FRAME = auto()  # a frame of the values as they are
    ARRAYS = auto()  # an array of the column's type
    SCALARS = auto()  # a scalar of the column's type per value, and a frame of those


Convert = Callable[[Values, Source], Array | None]

_TYPES: Mapping[str, set[type]] = {"f": {int, float, type(None)}, "i": {int}, "u": {int}, "b": {bool}}
"""Of JSON, by the kind of array."""
_TIME = re.compile(r"(1[7-9]|2[01])\d\d-\d\d-\d\d([T ]\d\d:\d\d:\d\d(\.\d{1,9})?)?")
"""Within the years that 64 bits of nanoseconds hold."""


def converter(dtype: np.dtype[Any]) -> Convert:
    """For one column of the signature."""
    match dtype.kind:
        case "f" | "i" | "b":
            return _numbers(dtype)
        case "M":
            return lambda values, _: _times(values, dtype)
        case _:
            return _texts


def numbers_reader(dtype: np.dtype[Any], dimensions: int) -> Callable[[Values], Array | None]:
    """For lists of lists of numbers (or of booleans, where that is the type), as a frame or an array of them has them.

    Null is NaN, which MLflow does not mind in a required column. Types are looked at first: of texts, NumPy would make
    an array in which each is as long as the longest. It raises TypeError and ValueError for what is no array at all.
    """
    types, is_exact = _TYPES[dtype.kind], dtype.kind != "f" or dtype.char == "d"
    read_as = dtype if is_exact else np.dtype(np.float64)

    def read(values: Values) -> Array | None:
        if not _types_in(values, dimensions) <= types:
            return None
        array = np.array(values, read_as)
        if array.ndim != dimensions or not array.size:
            return None
        return array if is_exact else cast_exactly(array, dtype)

    return read


def _types_in(values: Values, dimensions: int) -> set[type]:
    if dimensions == 2:
        return {type(value) for row in values for value in row}
    level: Iterable[Any] = values
    for _ in range(1, dimensions):
        level = chain.from_iterable(level)
    return set(map(type, level))


def _numbers(dtype: np.dtype[Any]) -> Convert:
    read = numbers_reader(dtype, 1)
    return lambda values, source: None if _is_widened(source, dtype) else read(values)


def _is_widened(source: Source, dtype: np.dtype[Any]) -> bool:
    """pandas 2 makes 64 bits of narrower scalars, which MLflow then refuses."""
    return source is Source.SCALARS and dtype.itemsize < 8 and dtype.kind != "b"


def _texts(values: Values, source: Source) -> Array | None:
    """Null stays null in a frame that has texts, too; of a column without any, pandas makes another type."""
    types = set(map(type, values))
    if types != {str} and (source is not Source.FRAME or types != {str, type(None)}):
        return None
    if source is not Source.FRAME and any(value.endswith("\0") for value in values):
        return None  # NumPy cuts it off
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _times(values: Values, dtype: np.dtype[Any]) -> Array | None:
    """ISO 8601 without a zone, all to the same digit: what pandas and NumPy read alike."""
    if set(map(type, values)) != {str} or len(set(map(len, values))) != 1:
        return None
    return np.array(values, dtype) if all(map(_TIME.fullmatch, values)) else None
