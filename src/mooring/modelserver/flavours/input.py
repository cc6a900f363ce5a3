"""Rows as MLflow's enforcement would hand them to the model (a frame, an array, named arrays), and the way back."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from mooring.modelserver.rows import Array, Layout, Rows, Shape

Assemble = Callable[[Rows], Any]


def assembler(layout: Layout) -> Assemble:
    """Makes what `pyfunc.predict` gives to the model after its checks."""
    match layout.shape:
        case Shape.TENSORS:
            return _named(layout.names) if layout.names[0] is not None else lambda rows: rows.arrays[0]
        case Shape.MATRIX:
            columns = _columns(layout)
            # pandas copies, so a model that writes into its frame writes into nobody's request.
            return lambda rows: pd.DataFrame(rows.arrays[0], columns=columns)
        case Shape.COLUMNS:
            return _framed(_columns(layout))


def matrix_maker(layout: Layout) -> Callable[[Rows], Array] | None:
    """Makes the one array that a model makes of its input, without a frame; None when not all is numbers.

    Of a table column by column in memory, as pandas does it: products of matrices come out the same to the last bit.
    What it returns may be a request's own array.
    """
    if any(dtype.kind not in "iuf" for dtype in layout.dtypes):
        return None
    if layout.shape is Shape.TENSORS:
        return (lambda rows: rows.arrays[0]) if layout.names == (None,) else None
    if layout.shape is Shape.MATRIX:
        return lambda rows: np.asfortranarray(rows.arrays[0])
    dtype = np.result_type(*layout.dtypes)
    return lambda rows: _stacked(rows, dtype)


def rows_of(data: Any, layout: Layout) -> Rows | None:
    """The rows of what enforcement returned; None when it does not have this layout (an optional column is missing)."""
    arrays = _tensors_of(data, layout) if layout.shape is Shape.TENSORS else _columns_of(data, layout)
    if arrays is None or not arrays[0].ndim:
        return None
    return Rows(arrays, len(arrays[0]))


def _columns(layout: Layout) -> "pd.Index[Any]":
    if layout.names[0] is None:
        return pd.RangeIndex(len(layout.names))
    return pd.Index(list(layout.names))


def _named(names: tuple[str | None, ...]) -> Assemble:
    return lambda rows: dict(zip(names, rows.arrays, strict=True))


def _framed(columns: "pd.Index[Any]") -> Assemble:
    def frame(rows: Rows) -> pd.DataFrame:
        made = pd.DataFrame(dict(enumerate(rows.arrays)))
        made.columns = columns
        return made

    return frame


def _stacked(rows: Rows, dtype: np.dtype[Any]) -> Array:
    matrix = np.empty((rows.count, len(rows.arrays)), dtype, order="F")
    for at, array in enumerate(rows.arrays):
        matrix[:, at] = array
    return matrix


def _tensors_of(data: Any, layout: Layout) -> tuple[Array, ...] | None:
    if layout.names[0] is None:
        return (data,) if isinstance(data, np.ndarray) else None
    return tuple(data[name] for name in layout.names) if isinstance(data, dict) else None


def _columns_of(data: Any, layout: Layout) -> tuple[Array, ...] | None:
    if not isinstance(data, pd.DataFrame) or data.shape[1] != len(layout.names):
        return None
    arrays = tuple(_column_of(data.iloc[:, at], dtype.kind == "O") for at, dtype in enumerate(layout.dtypes))
    if any(array.dtype != dtype for array, dtype in zip(arrays, layout.dtypes, strict=True)):
        return None
    return (np.column_stack(arrays),) if layout.shape is Shape.MATRIX else arrays


def _column_of(column: "pd.Series[Any]", is_text: bool) -> Array:
    return column.to_numpy(dtype=object) if is_text else column.to_numpy()
