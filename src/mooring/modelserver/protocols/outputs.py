"""Whatever a model returns, as named arrays."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pandas as pd

from mooring.modelserver.protocols.tensors import Array
from mooring.modelserver.schema import Field


def named_arrays(prediction: Any, outputs: Sequence[Field]) -> dict[str, Array]:
    """By the model's names where it gives any, else by the signature's, else `output-0`, `output-1`, …"""
    if isinstance(prediction, pd.Series):
        name = prediction.name if isinstance(prediction.name, str) else _name(outputs, 0)
        return {name: _column(prediction)}
    if isinstance(prediction, pd.DataFrame):
        return {_label(label, outputs, at): _column(prediction[label]) for at, label in enumerate(prediction.columns)}
    if isinstance(prediction, dict):
        return {str(name): _array(value) for name, value in prediction.items()}
    array = _array(prediction)
    if array.ndim == 1 and outputs and outputs[0].dtype is None:
        array = array[:, np.newaxis]
    return {_name(outputs, 0): array}


def _label(label: Any, outputs: Sequence[Field], at: int) -> str:
    return label if isinstance(label, str) else _name(outputs, at)


def _name(outputs: Sequence[Field], at: int) -> str:
    name = outputs[at].name if at < len(outputs) else None
    return name or f"output-{at}"


def _column(series: "pd.Series[Any]") -> Array:
    values = (
        series.to_numpy(dtype=object)
        if isinstance(series.dtype, pd.api.extensions.ExtensionDtype)
        else series.to_numpy()
    )
    return _readable(values)[:, np.newaxis]


def _array(value: Any) -> Array:
    if hasattr(value, "toarray"):  # a sparse matrix
        value = value.toarray()
    try:
        return _readable(np.asarray(value))
    except ValueError:  # rows of different lengths
        return _readable(np.array([*value, None], dtype=object)[:-1])


def _readable(array: Array) -> Array:
    """Objects that are neither text, bytes nor missing become their JSON text."""
    if array.dtype.kind != "O":
        return array
    texts = np.empty(array.size, dtype=object)
    texts[:] = [_text(value) for value in array.reshape(-1).tolist()]
    return texts.reshape(array.shape)


def _text(value: Any) -> str | bytes | None:
    if isinstance(value, str | bytes):
        return value
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return None
    if isinstance(value, list | dict | tuple | np.ndarray):
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY, default=str).decode()
    return str(value)
