"""Which columns or tensors the rows of a model have, as its signature says."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mooring.modelserver.rows import Layout, Shape
from mooring.modelserver.schema import Field, Signature

_COLUMN_DTYPES: Mapping[str, np.dtype[Any]] = {
    "double": np.dtype(np.float64),
    "float": np.dtype(np.float32),
    "long": np.dtype(np.int64),
    "integer": np.dtype(np.int32),
    "boolean": np.dtype(np.bool_),
    "string": np.dtype(object),
    "datetime": np.dtype("datetime64[ns]"),
}
_TENSOR_KINDS = "biuf"


def layout_of(signature: Signature) -> Layout | None:
    """None where rows have no columnar form: no signature, nested or binary columns, tensors that do not hold rows."""
    if not signature.inputs:
        return None
    return _tensors(signature.inputs) if signature.is_tensor else _columns(signature.inputs)


def is_numeric(layout: Layout) -> bool:
    """Whether all values are numbers (booleans are not)."""
    return all(dtype.kind in "iuf" for dtype in layout.dtypes)


def _columns(fields: Sequence[Field]) -> Layout | None:
    names = tuple(field.name for field in fields)
    if not all(field.type in _COLUMN_DTYPES for field in fields) or _are_ambiguous(names):
        return None
    dtypes = tuple(_COLUMN_DTYPES[field.type] for field in fields)
    is_matrix = len(set(dtypes)) == 1 and dtypes[0].kind in "iuf"
    return Layout(Shape.MATRIX if is_matrix else Shape.COLUMNS, names, dtypes)


def _tensors(fields: Sequence[Field]) -> Layout | None:
    names = tuple(field.name for field in fields)
    dtypes = tuple(np.dtype(field.dtype) for field in fields)
    if any(dtype.kind not in _TENSOR_KINDS for dtype in dtypes) or _are_ambiguous(names):
        return None
    if any(field.shape[:1] != (-1,) for field in fields) or (len(fields) > 1 and names[0] is None):
        return None
    return Layout(Shape.TENSORS, names, dtypes)


def _are_ambiguous(names: Sequence[str | None]) -> bool:
    """Two of one name, or some with a name and some without."""
    named = [name for name in names if name is not None]
    return len(set(named)) != len(named) or (bool(named) and len(named) != len(names))
