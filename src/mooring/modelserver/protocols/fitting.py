"""Tensors of a request brought under the names, types and shapes of a model's signature, or refused.

Only conversions that lose nothing are done: whole numbers for fractional columns, a wider for a narrower integer when
the values fit. What is left to check (fixed dimensions, say) MLflow's own enforcement checks.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.protocols.tensors import Array, datatype_of
from mooring.modelserver.schema import Field, Signature

COLUMN_DATATYPES: Mapping[str, str] = {
    "boolean": "BOOL",
    "integer": "INT32",
    "long": "INT64",
    "float": "FP32",
    "double": "FP64",
}
_TAKEN_KINDS: Mapping[str, str] = {
    "boolean": "b", "integer": "iu", "long": "iu", "float": "fiu", "double": "fiu",
    "string": "O", "binary": "O", "datetime": "O",
}  # fmt: skip
"""NumPy kinds of tensors that a column takes without loss."""


def fitted(arrays: dict[str, Array], signature: Signature) -> dict[str, Array]:
    """The arrays under the signature's names; those it does not know are left out. Raises InvalidInput."""
    fields = signature.inputs or ()
    if not signature.is_named and len(fields) == 1 and len(arrays) == 1:
        ((name, array),) = arrays.items()
        return {name: _fit(name, array, fields[0])}
    if (matrix := sole_matrix(arrays, signature)) is not None:
        arrays = {field.name or f"input-{at}": matrix[:, at] for at, field in enumerate(fields)}
    named = {field.name or f"input-{at}": field for at, field in enumerate(fields)}
    missing = [name for name, field in named.items() if field.required and name not in arrays]
    if missing:
        raise InvalidInput(f"input '{missing[0]}' is missing: the model needs {', '.join(named)}")
    fitted = {name: _fit(name, arrays[name], field) for name, field in named.items() if name in arrays}
    if not signature.is_tensor and len({len(array) for array in fitted.values()}) > 1:
        raise InvalidInput("all inputs must have the same number of rows")
    return fitted


def sole_matrix(arrays: Mapping[str, Array], signature: Signature) -> Array | None:
    """The one tensor of a request that is a whole table, its columns in the signature's order; else None."""
    fields = signature.inputs or ()
    if signature.is_tensor or len(arrays) != 1 or len(fields) < 2:
        return None
    ((name, array),) = arrays.items()
    is_table = array.ndim == 2 and array.shape[1] == len(fields) and name not in {field.name for field in fields}
    return array if is_table else None


def _fit(name: str, array: Array, field: Field) -> Array:
    if field.dtype is not None:
        return _fit_tensor(name, array, np.dtype(field.dtype))
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if field.type in _TAKEN_KINDS and array.ndim != 1:
        raise InvalidInput(f"input '{name}': expected shape [n, 1] or [n], got {list(array.shape)}")
    if array.dtype.kind not in _TAKEN_KINDS.get(field.type, "biufO"):
        wanted = COLUMN_DATATYPES.get(field.type, "BYTES")
        raise InvalidInput(f"input '{name}': expected {wanted} ({field.type}), got {datatype_of(array.dtype)}")
    return _cast(name, array, np.dtype(np.int32)) if field.type == "integer" else array


def _fit_tensor(name: str, array: Array, dtype: np.dtype[Any]) -> Array:
    if array.dtype == dtype:
        return array
    if dtype.kind in "US":
        return array.astype(dtype)
    if array.dtype.kind not in {"f": "fiu", "i": "iu", "u": "iu", "b": "b"}.get(dtype.kind, array.dtype.kind):
        raise InvalidInput(f"input '{name}': expected {datatype_of(dtype)}, got {datatype_of(array.dtype)}")
    return _cast(name, array, dtype)


def _cast(name: str, array: Array, dtype: np.dtype[Any]) -> Array:
    if dtype.kind in "iu" and array.size:
        limits = np.iinfo(dtype)
        if int(array.min()) < limits.min or int(array.max()) > limits.max:
            raise InvalidInput(f"input '{name}': a value does not fit {datatype_of(dtype)}")
    return array.astype(dtype)
