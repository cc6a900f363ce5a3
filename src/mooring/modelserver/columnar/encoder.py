"""Predictions to the JSON of `/invocations`, number for number as MLflow's scoring server writes them."""

import json
from typing import Any

import numpy as np
import orjson
import pandas as pd
from mlflow.utils.proto_json_utils import NumpyEncoder, _get_jsonable_obj

from mooring.modelserver.rows import Array

_TEXTS: frozenset[type] = frozenset({str})
_PLAIN: frozenset[type] = frozenset({str, int, float, bool})


def predictions_json(prediction: Any) -> bytes:
    """`{"predictions": …}`, NaN included. Raises what the encoder raises about values that JSON does not have."""
    written = _quickly(prediction)
    if written is None:
        return b'{"predictions": ' + as_mlflow_writes(prediction) + b"}"
    return written


def as_mlflow_writes(prediction: Any) -> bytes:
    """Whatever a model returns, without a wrapper."""
    return json.dumps(_get_jsonable_obj(prediction, pandas_orient="records"), cls=NumpyEncoder).encode()


def _quickly(prediction: Any) -> bytes | None:
    """By orjson; None where it may write something else than MLflow."""
    simple = _simple(prediction)
    if simple is None:
        return None
    try:
        written = orjson.dumps({"predictions": simple}, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:  # half a surrogate pair, an integer of more than 64 bits
        return None
    return None if b"null" in written else written  # NaN or an infinity, which MLflow writes as such


def _simple(prediction: Any) -> Any:
    """The same values in types that orjson writes as MLflow does, or None."""
    if isinstance(prediction, np.ndarray):
        return _simple_array(prediction)
    if isinstance(prediction, pd.Series):
        prediction = pd.DataFrame(prediction)
    if isinstance(prediction, pd.DataFrame):
        return _records(prediction)
    if isinstance(prediction, dict) and _TEXTS.issuperset(map(type, prediction)):
        arrays = {name: _simple(value) if isinstance(value, np.ndarray) else None for name, value in prediction.items()}
        return None if any(value is None for value in arrays.values()) else arrays
    return None


def _simple_array(array: Array) -> Any:
    match array.dtype.kind:
        case "f" if array.ndim:
            # Narrower floats orjson would write shorter than Python writes the same number.
            return np.ascontiguousarray(array, np.float64) if array.dtype.itemsize <= 8 else None
        case "b" | "i" | "u" if array.ndim:
            return np.ascontiguousarray(array, array.dtype.newbyteorder("="))
        case "U":
            return array.tolist()
        case "O" if array.ndim == 1 and _TEXTS.issuperset(map(type, array)):
            return array.tolist()
    return None


def _records(frame: pd.DataFrame) -> list[dict[str, Any]] | None:
    names = list(frame.columns)
    if not names or not {str, int}.issuperset(map(type, names)) or len(set(map(str, names))) != len(names):
        return None
    columns = [_column(frame.iloc[:, at]) for at in range(len(names))]
    if any(column is None for column in columns):
        return None
    keys = list(map(str, names))
    return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]


def _column(column: "pd.Series[Any]") -> list[Any] | None:
    values = column.tolist()
    is_number = isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf"
    return values if is_number or _PLAIN.issuperset(map(type, values)) else None
