"""Named arrays of a request as `Rows`: the columnar way of every protocol that carries tensors."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.protocols.fitting import fitted, sole_matrix
from mooring.modelserver.protocols.tensors import Array
from mooring.modelserver.rows import Layout, Rows, Shape
from mooring.modelserver.schema import Field, Signature

_KINDS = {"f": "fiu", "i": "i", "u": "u", "b": "b"}
"""Kinds of arrays of which `astype` makes what MLflow's own cast makes, by the kind that the model wants."""


def rows_of(arrays: Mapping[str, Array], layout: Layout | None, signature: Signature) -> Rows | None:
    """None for whatever the general way has to decide."""
    fields = signature.inputs
    if layout is None or fields is None or len(fields) != len(layout.dtypes):
        return None
    if ready := _whole(arrays, layout, signature) or _side_by_side(arrays, layout):
        return ready
    try:
        named = fitted(dict(arrays), signature)
    except InvalidInput:
        return None
    ordered = list(named.values()) if len(fields) == 1 else [named.get(name) for name in _names(fields)]
    present = [array for array in ordered if array is not None]
    if len(present) != len(fields) or not all(map(_is_taken, present, fields, layout.dtypes)):
        return None
    return _rows([_as(array, dtype) for array, dtype in zip(present, layout.dtypes, strict=True)], layout.shape)


def _names(fields: Sequence[Field]) -> list[str]:
    return [field.name or f"input-{at}" for at, field in enumerate(fields)]


def _is_taken(array: Array, field: Field, dtype: np.dtype[Any]) -> bool:
    if field.dtype is not None:
        return array.dtype == dtype and _has_shape(array, field.shape)
    if array.ndim != 1 or array.size == 0:
        return False
    if field.type == "string":
        return array.dtype.kind == "O" and all(type(value) is str for value in array.tolist())
    return array.dtype.kind in _KINDS.get(dtype.kind, "")


def _has_shape(array: Array, shape: tuple[int, ...]) -> bool:
    """Its first dimension is the rows; the others are as the signature says."""
    if len(array.shape) != len(shape) or not shape or shape[0] != -1 or array.shape[0] == 0:
        return False
    return all(wanted in (-1, size) for size, wanted in zip(array.shape, shape, strict=True))


def _as(array: Array, dtype: np.dtype[Any]) -> Array:
    return array.astype(dtype, copy=False)


def _rows(arrays: list[Array], shape: Shape) -> Rows | None:
    count = len(arrays[0])
    if any(len(array) != count for array in arrays):
        return None
    return Rows((np.column_stack(arrays),) if shape is Shape.MATRIX else tuple(arrays), count)


def _whole(arrays: Mapping[str, Array], layout: Layout, signature: Signature) -> Rows | None:
    """A table that came as the very matrix that the model takes: no copy."""
    if layout.shape is not Shape.MATRIX or (sole := sole_matrix(arrays, signature)) is None:
        return None
    is_ready = sole.dtype == layout.dtypes[0] and sole.flags.c_contiguous and len(sole) > 0
    return Rows((sole,), len(sole)) if is_ready else None


def _side_by_side(arrays: Mapping[str, Array], layout: Layout) -> Rows | None:
    """A table that came as one tensor per column, all of the very type that the model takes."""
    names = layout.names if layout.shape is Shape.MATRIX else ()
    columns = [arrays[name] for name in names if name in arrays and name is not None]
    if len(columns) != len(layout.names) or {column.dtype for column in columns} != set(layout.dtypes):
        return None
    shapes = {column.shape for column in columns}
    count, *width = shapes.pop() or (0,)
    if shapes or not count or width not in ([], [1]):
        return None
    matrix = np.empty((count, len(columns)), layout.dtypes[0])
    # One call for all: of few rows, each step of NumPy's costs more than the numbers do.
    join = np.concatenate if width else np.stack
    return Rows((join(columns, axis=1, out=matrix),), count)
