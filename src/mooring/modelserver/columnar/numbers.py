"""Nested JSON arrays of numbers to NumPy arrays, exactly or not at all."""

from functools import cache
from itertools import chain
from math import prod
from typing import Any, Literal

import numpy as np
import simdjson

from mooring.modelserver.rows import Array

_EXACT = 2.0**53 - 1
"""Up to here a whole float64 stands for one whole number only."""


Wire = Literal["d", "i", "u"]
"""What JSON numbers are read as: float64, int64, uint64. Integers are not read from numbers with a point."""

_WIRE_DTYPES = {"d": np.dtype(np.float64), "i": np.dtype(np.int64), "u": np.dtype(np.uint64)}


def read_numbers(data: Any, dimensions: int, wire: Wire = "d") -> tuple[Array, int] | None:
    """A writable array, and of how many JSON arrays it was made. None if they are ragged or empty.

    Arrays that are nested deeper would be taken for flat ones: whoever calls compares the second number with the
    arrays that the body has. Raises TypeError and ValueError for values that are not numbers, null included.
    """
    if not isinstance(data, simdjson.Array):
        return None
    level: list[Any] = [data]
    shape, lists = [len(data)], 1
    for depth in range(1, dimensions):
        if depth > 1:
            level = [part for parts in level for part in parts]
        sizes = set(map(len, chain.from_iterable(level)))
        if len(sizes) != 1:
            return None
        lists += prod(shape)
        shape.append(sizes.pop())
    values = np.frombuffer(data.as_buffer(of_type=wire), _WIRE_DTYPES[wire])
    if not values.size or values.size != prod(shape):
        return None
    return values.reshape(shape), lists


def cast_integers(values: Array, dtype: np.dtype[Any]) -> Array | None:
    """An array of integers, not empty, as a narrower or wider type; None if one does not fit."""
    limits = np.iinfo(dtype)
    fits = values.dtype == dtype or (limits.min <= int(values.min()) and int(values.max()) <= limits.max)
    return values.astype(dtype, copy=False) if fits else None


def cast_exactly(values: Array, dtype: np.dtype[Any]) -> Array | None:
    """Float64 values as `dtype`; None if MLflow could have made other values of the same text."""
    if dtype.char == "d":
        return values
    lowest, highest = _limits(dtype)
    # NaN stays out of it, as it is only there where null was read for a float.
    if not (lowest <= np.fmin.reduce(values, axis=None) and np.fmax.reduce(values, axis=None) <= highest):
        return None
    cast = values.astype(dtype)
    return cast if dtype.kind == "f" or (cast == values).all() else None


def has_shape(array: Array, shape: tuple[int, ...]) -> bool:
    """`shape` has -1 where any length will do, and there first of all."""
    if array.ndim != len(shape):
        return False
    return array.shape[1:] == shape[1:] or all(wanted in (-1, n) for n, wanted in zip(array.shape, shape, strict=True))


@cache
def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind == "f":
        highest = min(_EXACT, float(np.finfo(dtype).max))
        return -highest, highest
    return max(-_EXACT, float(np.iinfo(dtype).min)), min(_EXACT, float(np.iinfo(dtype).max))
