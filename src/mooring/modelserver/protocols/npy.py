"""Bodies in NumPy's own file format: one array, its type and shape in a short head, its values as in memory."""

import ast
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from math import prod

import numpy as np

from mooring.modelserver.errors import InvalidInput, paragraph
from mooring.modelserver.inference import Call, Columnar, Form, Inference
from mooring.modelserver.protocols.array_rows import rows_of
from mooring.modelserver.protocols.fitting import fitted, sole_matrix
from mooring.modelserver.protocols.scoring import ScoringCall
from mooring.modelserver.protocols.tensors import Array, is_beyond_arrays
from mooring.modelserver.rows import Layout
from mooring.modelserver.schema import Signature

NPY = "application/x-npy"
KINDS = (NPY, "application/octet-stream")
_MAGIC = b"\x93NUMPY"
_LENGTH_BYTES = {b"\x01\x00": 2, b"\x02\x00": 4}
"""Of the length of the head, by version."""
_LONGEST_HEAD = 4096
_REMEMBERED_HEADS = 64
_KINDS = "biufSUM"
"""Numbers, text and times: nothing that would have to be unpickled, and no records."""
_TEXTS, _MOST_TEXTS = "SUM", 10_000
"""Texts and times are made one by one: more of them not in the event loop."""


@dataclass(frozen=True, slots=True)
class NpyReader:
    """Reads bodies of `/invocations` that are one array."""

    signature: Signature
    layout: Layout | None

    def columnar(self, body: bytes) -> Columnar | None:
        """The array as rows; None for whatever the general way has to decide."""
        try:
            flat, shape, fortran = _opened(body)
            if flat.dtype.kind in _TEXTS and flat.size > _MOST_TEXTS:
                return None
            named = self._named(_ready(flat, shape, fortran))
        except InvalidInput:
            return None
        rows = rows_of(named, self.layout, self.signature)
        return None if rows is None else Columnar(rows, ScoringCall(Inference(Form.ARRAYS, named)).encode)

    def call(self, body: bytes) -> Call:
        """Raises InvalidInput."""
        named = self._named(read(body))
        arrays = named if self.signature.inputs is None else fitted(named, self.signature)
        return ScoringCall(Inference(Form.ARRAYS, arrays))

    def _named(self, array: Array) -> dict[str, Array]:
        fields = self.signature.inputs
        if fields is None or len(fields) == 1:
            return {(fields[0].name if fields else None) or "input-0": array}
        if sole_matrix({"": array}, self.signature) is None:
            what = "tensors, and a .npy body is one" if self.signature.is_tensor else "columns"
            raise InvalidInput(
                f"the array has shape {list(array.shape)!r:.100}, and the model takes {len(fields)} {what}: "
                + ("use the Open Inference Protocol" if self.signature.is_tensor else f"send [rows, {len(fields)}]")
            )
        return {"": array}


def read(body: bytes) -> Array:
    """A read-only view of the body's values, without a copy. Raises InvalidInput, also for a body with a tail."""
    return _ready(*_opened(body))


def _opened(body: bytes) -> tuple[Array, tuple[int, ...], bool]:
    """The values as they lie there, their shape, and whether columns come first. Raises InvalidInput."""
    try:
        start, descr, fortran, shape = _head(body)
        dtype = np.dtype(descr)
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError) as error:
        raise InvalidInput(f"the body is not a .npy file: {paragraph(str(error))[:200]}") from None
    if dtype.kind not in _KINDS or dtype.itemsize == 0:
        raise InvalidInput(f"a .npy body of type {str(dtype)!r:.60} is not taken: use numbers, texts or times")
    values = memoryview(body)[start:]
    if len(values) != prod(shape) * dtype.itemsize:
        raise InvalidInput(f"the .npy body has {len(values)} bytes of values, its head says {shape} of {dtype}"[:400])
    return np.frombuffer(values, dtype), shape, fortran


def write(array: Array) -> bytes:
    """The array as such a file. Raises ValueError for one of Python objects."""
    stream = BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(array), allow_pickle=False)
    return stream.getvalue()


def _head(body: bytes) -> tuple[int, str, bool, tuple[int, ...]]:
    """Where the values begin, and what the head says.

    Not NumPy's own reader: that one also takes what Python 2 has written, and records.
    """
    if body[:6] != _MAGIC or body[6:8] not in _LENGTH_BYTES:
        raise ValueError("it begins otherwise, or is of a version for records")
    after_length = 8 + _LENGTH_BYTES[body[6:8]]
    start = after_length + int.from_bytes(body[8:after_length], "little")
    if start > min(len(body), _LONGEST_HEAD):
        raise ValueError("its head is too long")
    return start, *_said(body[after_length:start])


@lru_cache(maxsize=_REMEMBERED_HEADS)
def _said(text: bytes) -> tuple[str, bool, tuple[int, ...]]:
    """A caller's heads are mostly the same, and reading one takes longer than a small model."""
    head = ast.literal_eval(text.decode("latin-1").strip())
    if not isinstance(head, dict) or head.keys() != {"descr", "fortran_order", "shape"}:
        raise ValueError("its head does not say descr, fortran_order and shape")
    if not isinstance(head["descr"], str) or not isinstance(head["fortran_order"], bool):
        raise ValueError("its head is for records, or says something else")
    if not isinstance(head["shape"], tuple) or not all(type(n) is int and n >= 0 for n in head["shape"]):
        raise ValueError("its shape is not one of whole numbers")
    if is_beyond_arrays(head["shape"]):
        raise ValueError("its shape is too large")
    return head["descr"], head["fortran_order"], head["shape"]


def _ready(flat: Array, shape: tuple[int, ...], fortran: bool) -> Array:
    try:
        array = flat.reshape(shape[::-1]).transpose() if fortran else flat.reshape(shape)
    except (ValueError, OverflowError):  # one of its sizes is 0, and another beyond any memory
        raise InvalidInput(f"the shape {shape!r:.100} of the .npy body is too large") from None
    if array.dtype.kind in "SU":
        return _texts(array)
    if array.dtype.kind == "M":
        return np.datetime_as_string(array).astype(object)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _texts(array: Array) -> Array:
    try:
        return np.char.decode(array, "utf-8").astype(object) if array.dtype.kind == "S" else array.astype(object)
    except (UnicodeDecodeError, ValueError):
        raise InvalidInput("a text in the .npy body is not UTF-8") from None
