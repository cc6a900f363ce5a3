"""Tensors as raw bytes: little-endian and row-major; text is a length of four bytes and so many bytes, per value."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.protocols.tensors import DTYPES, Array, checked_shape, datatype_of, shaped

_LENGTH_BYTES = 4
_RAW: Mapping[str, np.dtype[Any]] = {
    **{name: dtype.newbyteorder("<") for name, dtype in DTYPES.items() if name != "BYTES"},
    "FP16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),  # NumPy has no such type: the upper half of a float32
}


def from_raw(name: str, datatype: Any, shape: Any, raw: bytes | memoryview) -> Array:
    """A read-only view of `raw` under this type and shape, copied only where its bytes lie unaligned.

    BYTES become an array of `bytes` objects, BF16, which NumPy does not have, float32. Raises InvalidInput.
    """
    sizes = checked_shape(name, shape)
    if datatype == "BYTES":
        return shaped(name, _texts(name, prod(sizes), raw), sizes)
    dtype = _RAW.get(datatype) if isinstance(datatype, str) else None
    if dtype is None:
        raise InvalidInput(f"input '{name}': datatype {datatype!r:.60} is not one of {', '.join((*_RAW, 'BYTES'))}")
    if len(raw) != prod(sizes) * dtype.itemsize:
        wanted = f"{datatype} of shape {sizes} is {prod(sizes) * dtype.itemsize} bytes"
        raise InvalidInput(f"input '{name}': {wanted}, got {len(raw)}"[:400])
    return shaped(name, _numbers(name, datatype, np.frombuffer(raw, dtype)), sizes)


def to_raw(array: Array) -> bytes:
    """The values alone; what is missing in a tensor of text becomes an empty text."""
    datatype = datatype_of(array.dtype)
    if datatype != "BYTES":
        return np.ascontiguousarray(array, dtype=_RAW[datatype]).tobytes()
    values = np.datetime_as_string(array) if array.dtype.kind == "M" else array
    pieces: list[bytes] = []
    for value in values.reshape(-1).tolist():
        text = value if isinstance(value, bytes) else b"" if value is None else str(value).encode()
        pieces += (len(text).to_bytes(_LENGTH_BYTES, "little"), text)
    return b"".join(pieces)


def objects(values: Sequence[Any]) -> Array:
    """A flat array of these objects, which NumPy is not to look into."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _numbers(name: str, datatype: str, array: Array) -> Array:
    if datatype == "BOOL" and array.size and int(array.view(np.uint8).max()) > 1:
        raise InvalidInput(f"input '{name}': a BOOL is a byte of 0 or 1")
    if datatype == "BF16":
        return (array.astype(np.uint32) << 16).view(np.float32)
    if not array.dtype.isnative:
        return array.astype(array.dtype.newbyteorder("="))
    # Compiled code of models may not take unaligned numbers, and a header of JSON ends where it ends.
    return array if array.flags.aligned else array.copy()


def _texts(name: str, count: int, raw: bytes | memoryview) -> Array:
    content, at = bytes(raw), 0
    # Before a list of that length is begun: a shape is a few bytes and may name any number.
    if count * _LENGTH_BYTES > len(content):
        raise InvalidInput(f"input '{name}': too few bytes for its {count} values")
    values: list[bytes] = []
    while len(values) < count:
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(content[at:start], "little")
        if start > len(content) or at > len(content):
            raise InvalidInput(f"input '{name}', value {len(values)}: it goes beyond the end of the tensor")
        values.append(content[start:at])
    if at != len(content):
        raise InvalidInput(f"input '{name}': {len(content) - at} bytes are left over after its {count} values")
    return objects(values)
