"""Tensors of numbers in a JSON body of the Open Inference Protocol, without a Python object per number."""

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import simdjson

from mooring.modelserver.columnar.bodies import count_lists
from mooring.modelserver.columnar.numbers import Wire, cast_exactly, cast_integers, read_numbers
from mooring.modelserver.columnar.parsing import parse
from mooring.modelserver.rows import Array

Request = tuple[dict[str, Any], dict[str, Array]]
"""What else the request says, and its tensors by name."""

_KEYS = ["data", "datatype", "name", "shape"]
_WIRES: Mapping[str, Wire] = {"f": "d", "i": "i", "u": "u"}


def read_tensors(body: bytes, dtypes: Mapping[str, np.dtype[Any]]) -> Request | None:
    """A request of which all tensors are numbers; `dtypes` tells the type of each `datatype`.

    None where Python's parser has to look.
    """
    document = parse(body)
    if document is None:
        return None
    try:
        return _read(document, body, dtypes)
    except (TypeError, ValueError, KeyError):
        return None


def _read(document: Any, body: bytes, dtypes: Mapping[str, np.dtype[Any]]) -> Request | None:
    keys, items = list(document), document["inputs"]
    if len(set(keys)) != len(keys) or not isinstance(items, simdjson.Array):
        return None
    rest = {key: _plain(document[key]) for key in keys if key != "inputs"}
    tensors: dict[str, Array] = {}
    lists = 1 + _lists_in(rest)
    for item in items:
        read = _tensor(item, dtypes)
        if read is None or read[0] in tensors:
            return None
        name, tensors[name], inner = read
        lists += inner
    return (rest, tensors) if tensors and lists == count_lists(body) else None


def _tensor(item: Any, dtypes: Mapping[str, np.dtype[Any]]) -> tuple[str, Array, int] | None:
    if not isinstance(item, simdjson.Object) or sorted(item) != _KEYS:
        return None
    name, shape, data = item["name"], _plain(item["shape"]), item["data"]
    dtype = dtypes.get(str(item["datatype"]))
    if not isinstance(name, str) or not isinstance(shape, list) or dtype is None or dtype.kind not in "iuf":
        return None
    read = _numbers(data, shape, dtype)
    cast_to = cast_exactly if dtype.kind == "f" else cast_integers
    cast = None if read is None else cast_to(read[0].reshape(shape), dtype)
    return None if cast is None or read is None else (name, cast, read[1] + 1)


def _numbers(data: Any, shape: list[int], dtype: np.dtype[Any]) -> tuple[Array, int] | None:
    """Flat, or nested as the shape says."""
    is_nested = isinstance(data, simdjson.Array) and len(data) > 0 and isinstance(data[0], simdjson.Array)
    read = read_numbers(data, len(shape) if is_nested else 1, _WIRES[dtype.kind])
    return read if read and read[0].shape == (tuple(shape) if is_nested else (prod(shape),)) else None


def _plain(value: Any) -> Any:
    if isinstance(value, simdjson.Object):
        return value.as_dict()
    return value.as_list() if isinstance(value, simdjson.Array) else value


def _lists_in(document: dict[str, Any]) -> int:
    """Level by level, so that nothing recurses."""
    count, level = 0, list(document.values())
    while level:
        lists = [value for value in level if isinstance(value, list)]
        objects = [value for value in level if isinstance(value, dict)]
        count += len(lists)
        level = [part for parts in lists for part in parts] + [part for parts in objects for part in parts.values()]
    return count
