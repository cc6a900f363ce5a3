"""Tables and tensors of numbers, from bytes to arrays without a Python object per number."""

from typing import Any

import numpy as np
import simdjson

from mooring.modelserver.columnar.assembly import Assembly
from mooring.modelserver.columnar.bodies import count_lists
from mooring.modelserver.columnar.headings import Order, headings_of
from mooring.modelserver.columnar.numbers import has_shape, read_numbers
from mooring.modelserver.columnar.parsing import parse
from mooring.modelserver.rows import Layout, Rows, Shape
from mooring.modelserver.schema import Signature

Read = tuple[Rows | None, int]
"""Rows, and of how many JSON arrays they were made."""

_NOTHING: Read = (None, 0)
_SPLIT = ["columns", "data"]


class NumericDecoder:
    """For models of which all inputs are numbers. Nulls and objects per row are not read here."""

    def __init__(self, layout: Layout, signature: Signature, *, are_names_optional: bool = False) -> None:
        self._assembly = Assembly(layout)
        self._names = [str(name) for name in layout.names]
        self._is_named = signature.is_named
        self._is_tensor = signature.is_tensor
        self._headings = headings_of(layout, signature.inputs or ())
        self._shapes = _shapes(layout, signature)
        self._takes_plain_rows = are_names_optional and signature.is_named and not signature.is_tensor

    def decode(self, body: bytes) -> Rows | None:
        """None for all that is not known to reach the model with these values."""
        document = parse(body)
        if document is None:
            return None
        try:
            rows, lists = self._read(document)
        except (TypeError, ValueError, KeyError):
            return None
        # Arrays that nobody has looked into would be inside of rows: numbers that do not stand where they seem to.
        return rows if lists == count_lists(body) else None

    def _read(self, document: simdjson.Object) -> Read:
        keys = list(document)
        if "params" in keys and _is_empty(document["params"]):
            keys.remove("params")
        match keys:
            case ["dataframe_split"]:
                return self._split(document["dataframe_split"])
            case ["inputs" | "instances" as key]:
                return self._arrays(document[key])
            case ["data"]:
                return self._plain(document["data"])
            case ["data", "columns"] | ["columns", "data"]:
                return self._split(document)
        return _NOTHING

    def _arrays(self, value: Any) -> Read:
        is_list = self._takes_plain_rows and isinstance(value, simdjson.Array) and len(value) > 0
        return self._plain(value) if is_list and isinstance(value[0], simdjson.Array) else self._tensors(value)

    def _plain(self, data: Any) -> Read:
        """Rows alone; each is a list."""
        if self._is_tensor:
            return self._tensors(data) if len(self._shapes[0]) > 1 and isinstance(data, simdjson.Array) else _NOTHING
        return self._table(data, self._headings.order(self._headings.own), 0) if self._headings else _NOTHING

    def _split(self, split: Any) -> Read:
        keys = list(split) if isinstance(split, simdjson.Object) else []
        if self._headings is None or (keys != _SPLIT and not _are_of_split(keys)):
            return _NOTHING
        columns = split["columns"] if "columns" in keys else None
        names = columns.as_list() if isinstance(columns, simdjson.Array) else columns
        rows, lists = self._table(split["data"], self._headings.order(names), int(names is not None))
        if rows is None or "index" not in keys or split["index"] is None:
            return rows, lists
        return (rows, lists + 1) if _counts(split["index"], rows.count) else _NOTHING

    def _table(self, data: Any, order: Order | None, lists: int) -> Read:
        read = read_numbers(data, 2) if order else None
        if read is None or order is None or read[0].shape[1] != order.width:
            return _NOTHING
        values = read[0] if order.places is None else np.take(read[0], order.places, axis=1)
        return self._assembly.whole(values), lists + read[1]

    def _tensors(self, value: Any) -> Read:
        """A tensor alone, or an object of tensors; a column is a tensor of one dimension."""
        parts = self._parts(value)
        if len(parts) != len(self._shapes):
            return _NOTHING
        arrays, lists = [], 0
        for part, shape in zip(parts, self._shapes, strict=True):
            read = read_numbers(part, len(shape))
            if read is None or not has_shape(read[0], shape):
                return _NOTHING
            arrays.append(read[0])
            lists += read[1]
        is_whole = len(arrays) == 1 and (self._is_tensor or arrays[0].ndim == 2)
        return self._assembly.whole(arrays[0]) if is_whole else self._assembly.parts(arrays), lists

    def _parts(self, value: Any) -> list[Any]:
        if not isinstance(value, simdjson.Object):
            return [value]
        is_whole = self._is_named and sorted(value) == sorted(self._names)
        return [value[name] for name in self._names] if is_whole else []


def _shapes(layout: Layout, signature: Signature) -> list[tuple[int, ...]]:
    """What `inputs` has to hold. Columns without names come as one table, of which all values get the first's type."""
    fields = signature.inputs or ()
    if signature.is_tensor:
        return [field.shape for field in fields]
    if signature.is_named or len(fields) == 1:
        return [(-1,)] * len(fields)
    return [(-1, len(fields))] if layout.shape is Shape.MATRIX else []


def _are_of_split(keys: list[str]) -> bool:
    return len(set(keys)) == len(keys) and {"columns", "data", "index"}.issuperset(keys)


def _is_empty(params: Any) -> bool:
    return params is None or (isinstance(params, simdjson.Object) and not len(params))


def _counts(index: Any, rows: int) -> bool:
    """Whether it is the index that a table has anyway: 0, 1, 2, …"""
    if not isinstance(index, simdjson.Array):
        return False
    return np.array_equal(np.frombuffer(index.as_buffer(of_type="i"), np.int64), np.arange(rows))
