"""An inference seen as columns, whatever form it came in; only used to explain why it was refused."""

from collections.abc import Sequence
from io import StringIO
from typing import Any

import pandas as pd

from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.inference import Form, Inference
from mooring.modelserver.schema import Signature

Columns = dict[str, Sequence[Any]]


def columns_of(inference: Inference, signature: Signature) -> Columns | InvalidInput | None:
    """Values by column; the refusal itself where the layout is broken; None when it is not a table."""
    data: Any = inference.data
    match inference.form:
        case Form.SPLIT:
            return _from_split(data)
        case Form.RECORDS:
            return _from_records(data) if _are_objects(data) else None
        case Form.INPUTS | Form.INSTANCES:
            return _from_tensors(data, signature)
        case Form.CSV:
            return _from_csv(data)
        case Form.ARRAYS:
            return {name: array.tolist() for name, array in data.items()}
        case _:
            return None


def _from_split(data: Any) -> Columns | InvalidInput | None:
    if not isinstance(data, dict) or not isinstance(data.get("data"), list):
        return None
    names, rows = data.get("columns"), data["data"]
    if not isinstance(names, list):
        return None
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            got = f"{len(row)} values" if isinstance(row, list) else "something that is not a list"
            return InvalidInput(f"dataframe_split.data, row {number}: expected {len(names)} values, got {got}")
    return {str(name): [row[at] for row in rows] for at, name in enumerate(names)}


def _from_records(rows: list[dict[str, Any]]) -> Columns:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _from_tensors(data: Any, signature: Signature) -> Columns | None:
    if isinstance(data, dict):
        return {name: v if isinstance(v, list) else [v] for name, v in data.items()}
    if _are_objects(data):
        return _from_records(data)
    inputs = signature.inputs or ()
    if isinstance(data, list) and len(inputs) == 1 and inputs[0].name is not None:
        return {inputs[0].name: data}
    return None


def _from_csv(text: str) -> Columns | None:
    try:
        frame = pd.read_csv(StringIO(text), dtype=str)
    except (ValueError, OverflowError):
        return None
    return {str(name): [None if pd.isna(v) else v for v in frame[name]] for name in frame.columns}


def _are_objects(data: Any) -> bool:
    return isinstance(data, list) and bool(data) and all(isinstance(row, dict) for row in data)
