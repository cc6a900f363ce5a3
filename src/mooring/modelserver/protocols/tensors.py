"""Tensors of the Open Inference Protocol: data types, and JSON data to NumPy and back."""

import base64
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from mooring.modelserver.errors import InvalidInput, paragraph

Array = np.ndarray[Any, np.dtype[Any]]

DTYPES: Mapping[str, np.dtype[Any]] = {
    "BOOL": np.dtype(bool),
    **{f"{sign}INT{bits}": np.dtype(f"{sign.lower()}int{bits}") for sign in ("", "U") for bits in (8, 16, 32, 64)},
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
    "BYTES": np.dtype(object),
}
_NAMES = {dtype: name for name, dtype in DTYPES.items() if name != "BYTES"}
_ALLOWED_KINDS = {"b": "b", "i": "iu", "u": "iu", "f": "fiu"}
"""Kinds of parsed JSON that each kind of tensor takes without loss."""
_MOST_DIMENSIONS, _LARGEST_DIMENSION = 64, 2**63 - 1
_ELEMENTS = {"b": "a boolean", "i": "an integer", "u": "a whole number", "f": "a number", "O": "a string"}


def datatype_of(dtype: np.dtype[Any]) -> str:
    """The protocol's name of a NumPy type; everything that is no number is BYTES, half floats travel as FP32."""
    return "FP32" if dtype == np.float16 else _NAMES.get(dtype, "BYTES")


def to_array(name: str, datatype: Any, shape: Any, data: Any) -> Array:
    """An array of exactly this type and shape from flat or nested JSON data. Raises InvalidInput."""
    dtype = DTYPES.get(datatype) if isinstance(datatype, str) else None
    if dtype is None:
        raise InvalidInput(f"input '{name}': datatype {datatype!r} is not one of {', '.join(DTYPES)}")
    sizes = checked_shape(name, shape)
    flat = _flatten(name, data)
    if len(flat) != prod(sizes):
        raise InvalidInput(f"input '{name}': shape {shape} needs {prod(sizes)} values, data has {len(flat)}")
    return shaped(name, _typed(name, str(datatype), dtype, flat), sizes)


def checked_shape(name: str, shape: Any) -> list[int]:
    """Raises InvalidInput unless it is a list of whole numbers."""
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        raise InvalidInput(f"input '{name}': shape must be a list of whole numbers")
    if is_beyond_arrays(shape):
        raise InvalidInput(f"input '{name}': its shape is too large")
    return shape


def is_beyond_arrays(shape: Sequence[int]) -> bool:
    """Whether no array has this shape. Python could not even write down the product of some numbers in JSON."""
    return len(shape) > _MOST_DIMENSIONS or any(n > _LARGEST_DIMENSION for n in shape)


def shaped(name: str, flat: Array, shape: list[int]) -> Array:
    """The same values under this shape. Raises InvalidInput for one that NumPy cannot have."""
    try:
        return flat.reshape(shape)
    except (ValueError, OverflowError):  # too many dimensions; or one is 0, and another beyond any memory
        raise InvalidInput(f"input '{name}': shape {shape!r:.100} is too large") from None


def _flatten(name: str, data: Any) -> list[Any]:
    """Level by level, so that nothing recurses; every list of a level must be a list all through."""
    if not isinstance(data, list):
        raise InvalidInput(f"input '{name}': data must be a list, flat or nested")
    level: list[Any] = data
    while level and isinstance(level[0], list):
        if not all(isinstance(part, list) and len(part) == len(level[0]) for part in level):
            raise InvalidInput(f"input '{name}': nested data must be lists of the same length")
        level = [value for part in level for value in part]
    return level


def _typed(name: str, datatype: str, dtype: np.dtype[Any], flat: list[Any]) -> Array:
    if dtype.kind == "O":
        return _strings(name, flat)
    values = [np.nan if value is None else value for value in flat] if dtype.kind == "f" else flat
    _check_kinds(name, datatype, dtype, values)
    try:
        return np.array(values, dtype=dtype)
    except OverflowError as error:
        raise InvalidInput(f"input '{name}': expected {datatype}: {paragraph(str(error))}") from None


def _check_kinds(name: str, datatype: str, dtype: np.dtype[Any], values: list[Any]) -> None:
    allowed = _ALLOWED_KINDS[dtype.kind]
    # By type and not by NumPy's guess, which would make numbers of booleans and strings of numbers.
    kinds = {bool: "b", int: "i", float: "f"}
    wrong = {kind for kind in set(map(type, values)) if kinds.get(kind, "O") not in allowed}
    if wrong:
        row = next(at for at, value in enumerate(values) if type(value) in wrong)
        raise InvalidInput(
            f"input '{name}', value {row}: expected {_ELEMENTS[dtype.kind]} ({datatype}), got {values[row]!r:.60}",
            for_log=f"input '{name}', value {row}: expected {datatype}",
        )


def _strings(name: str, flat: list[Any]) -> Array:
    for at, value in enumerate(flat):
        if not isinstance(value, str) and value is not None:
            raise InvalidInput(
                f"input '{name}', value {at}: expected a string (BYTES), got {value!r:.60}",
                for_log=f"input '{name}', value {at}: expected BYTES",
            )
    array = np.empty(len(flat), dtype=object)
    array[:] = flat
    return array


def to_tensor(name: str, array: Array) -> dict[str, Any]:
    """One output tensor, `data` flat; NaN and infinities of numbers become null (orjson), as JSON has none."""
    datatype = datatype_of(array.dtype)
    tensor: dict[str, Any] = {"name": name, "shape": list(array.shape), "datatype": datatype}
    if datatype != "BYTES":
        flat = np.ascontiguousarray(array, dtype=DTYPES[datatype]).reshape(-1)
        return {**tensor, "data": flat}
    values = (
        array.reshape(-1).tolist() if array.dtype.kind != "M" else np.datetime_as_string(array.reshape(-1)).tolist()
    )
    if any(isinstance(value, bytes) for value in values):
        values = [base64.b64encode(v).decode() if isinstance(v, bytes) else v for v in values]
        tensor["parameters"] = {"content_type": "base64"}
    return {**tensor, "data": [v if v is None or isinstance(v, str) else str(v) for v in values]}
