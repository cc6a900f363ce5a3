"""`{"data": [[…], …]}`: rows without names, the body that fedml's documentation shows (and MLflow 1 took).

MLflow's own server refuses it since version 2. Here the rows take the names of the signature, in its order.
"""

from typing import Any

from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.inference import Form, Inference
from mooring.modelserver.schema import Signature

KEY = "data"
_KNOWN = frozenset({KEY, "columns", "params"})


def are_plain_rows(body: dict[str, Any]) -> bool:
    """Whether this is such a body: rows are lists, and nothing else is there but `columns` and `params`."""
    rows = body.get(KEY)
    return isinstance(rows, list) and _KNOWN.issuperset(body) and all(isinstance(row, list) for row in rows)


def from_plain_rows(body: dict[str, Any], signature: Signature) -> Inference:
    """Raises InvalidInput when a row has another number of values than the model has columns."""
    rows, params = body[KEY], body.get("params")
    if signature.is_tensor and "columns" not in body:
        return Inference(Form.INPUTS, rows, params)
    names = body.get("columns", _names(signature))
    if names is None:
        return Inference(Form.SPLIT, {"data": rows}, params)
    if "columns" not in body:
        _check_width(rows, names)
    return Inference(Form.SPLIT, {"columns": names, "data": rows}, params)


def _names(signature: Signature) -> list[str] | None:
    """None where columns have no names, or nothing is known about them."""
    return [str(field.name) for field in signature.inputs or ()] if signature.is_named else None


def _check_width(rows: list[list[Any]], names: list[str]) -> None:
    for number, row in enumerate(rows):
        if len(row) != len(names):
            wanted = ", ".join(names)[:400]
            raise InvalidInput(
                f"data, row {number}: expected {len(names)} values ({wanted}), got {len(row)}",
                for_log=f"data, row {number}: expected {len(names)} values, got {len(row)}",
            )
