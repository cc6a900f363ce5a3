"""Rows to try a model with before it is served: made from its signature and its input example, always the same ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mooring.modelserver.rows import Array, Layout, Rows, Shape

SIZES = (1, 2, 7, 64)
_SEED = 20_26
_MOST_BYTES = 16 * 1024 * 1024
"""Of one probe: sixty-four images are too many."""
_UNKNOWN_LENGTH = 4
"""Of a tensor's variable dimension, when there is no example."""
_WORDS = ("a", "b", "c", "")


@dataclass(frozen=True)
class ProbeMaker:
    """Makes rows under a layout."""

    layout: Layout
    shapes: tuple[tuple[int, ...], ...]
    """Of one row, per array of COLUMNS and TENSORS; -1 where it varies."""
    example: Rows | None
    words: Sequence[str] = _WORDS
    """For columns of text."""

    def probes(self) -> Iterator[Rows]:
        """The example; then some of each size, of several magnitudes; then some with missing and infinite values."""
        if self.example is not None and self.example.count:
            yield self.example
        random = np.random.default_rng(_SEED)
        for size in SIZES:
            for spread in (0.5, 30.0):
                rows = self.make(size, random, spread)
                if sum(array.nbytes for array in rows.arrays) > _MOST_BYTES:
                    return
                yield rows
        for value in (np.nan, np.inf):
            if (spoilt := self._spoilt(self.make(2, random), value)) is not None:
                yield spoilt

    def many(self, count: int) -> Iterator[Rows]:
        """Two batches of half as many rows, near the example and far from it, and some of the rows alone."""
        random = np.random.default_rng(_SEED + 1)
        for spread in (0.3, 3.0):
            yield self.make(count // 2, random, spread)
        for _ in range(8):
            yield self.make(1, random)

    def make(self, count: int, random: np.random.Generator, spread: float = 1.0) -> Rows:
        """So many rows: the example's values, and others about as large."""
        arrays = tuple(self._column(at, count, random, spread) for at in range(len(self.layout.dtypes)))
        if self.layout.shape is Shape.MATRIX:
            return Rows((np.ascontiguousarray(np.column_stack(arrays)),), count)
        return Rows(arrays, count)

    def _column(self, at: int, count: int, random: np.random.Generator, spread: float) -> Array:
        dtype, known = self.layout.dtypes[at], self._known(at)
        shape = (count, *self._shape(at))
        match dtype.kind:
            case "f":
                return _floats(known, shape, random, spread).astype(dtype)
            case "i" | "u":
                return _whole(known, shape, random, dtype)
            case "b":
                return random.integers(0, 2, shape).astype(dtype)
            case "M":
                days = random.integers(0, 20_000, shape).astype("timedelta64[D]")
                return (np.datetime64("1990-01-01") + days).astype(dtype)
            case _:
                return _chosen(known if known is not None else np.array(self.words, object), shape, random, dtype)

    def _known(self, at: int) -> Array | None:
        """The example's values of a column or tensor."""
        if self.example is None or not self.example.count:
            return None
        if self.layout.shape is Shape.MATRIX:
            values: Array = self.example.arrays[0][:, at]
        else:
            values = self.example.arrays[at].reshape(-1)
        return values if values.size else None

    def _shape(self, at: int) -> tuple[int, ...]:
        if self.layout.shape is not Shape.TENSORS:
            return ()
        like = self.example.arrays[at].shape[1:] if self.example is not None else ()
        shape = self.shapes[at]
        return tuple(
            length if length >= 0 else (like[axis] if axis < len(like) else _UNKNOWN_LENGTH)
            for axis, length in enumerate(shape)
        )

    def _spoilt(self, rows: Rows, value: float) -> Rows | None:
        """With the value in the second row; None when there are no floats."""
        if not any(array.dtype.kind == "f" and array.size for array in rows.arrays):
            return None
        arrays = tuple(array.copy() for array in rows.arrays)
        for array in arrays:
            if array.dtype.kind == "f":
                array.reshape(len(array), -1)[-1, -1] = value
        return Rows(arrays, rows.count)


def _floats(known: Array | None, shape: tuple[int, ...], random: np.random.Generator, spread: float) -> Array:
    noise = random.standard_normal(shape)
    if known is None:
        return np.asarray(noise * spread)
    base = random.choice(np.nan_to_num(known.astype(float)), shape)
    scale = float(np.abs(known[np.isfinite(known)]).mean()) if np.isfinite(known).any() else 1.0
    # A third stays as it is: a column of ones and zeros may well stand for words.
    return np.asarray(np.where(random.random(shape) < 1 / 3, base, base + noise * spread * (scale or 1.0)))


def _whole(known: Array | None, shape: tuple[int, ...], random: np.random.Generator, dtype: np.dtype[Any]) -> Array:
    if known is None:
        return random.integers(0, 10, shape).astype(dtype)
    low, high = int(known.min()), int(known.max())
    steps = random.integers(-3, 4, shape) * random.integers(0, 2, shape)
    values: Array = np.clip(random.choice(known, shape) + steps, min(low, 0), high + 3).astype(dtype)
    return values


def _chosen(values: Array, shape: tuple[int, ...], random: np.random.Generator, dtype: np.dtype[Any]) -> Array:
    made = np.empty(shape, dtype)
    made[...] = values[random.integers(0, len(values), shape)]
    return made
