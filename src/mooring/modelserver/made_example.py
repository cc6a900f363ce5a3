"""A body for `/invocations` where a model was logged without an example, so that there is something to begin with."""

from collections.abc import Sequence
from math import prod
from typing import Any

from mooring.modelserver.schema import Field, Signature

_LARGEST_TENSOR = 10_000
_VALUES: dict[str, Any] = {
    "boolean": False, "integer": 1, "long": 1, "float": 1.0, "double": 1.0, "string": "text", "binary": "AA==",
    "datetime": "2024-01-31T12:00:00",
}  # fmt: skip


def made_example(signature: Signature, raw_model: object) -> dict[str, Any] | None:
    """From the types of the signature, else from the features that the model itself counts; None when nothing is known.

    `raw_model` is the object of the model's library.
    """
    if signature.inputs is None:
        return _from_model(raw_model)
    return _of_tensors(signature) if signature.is_tensor else _of_columns(signature.inputs)


def _of_columns(fields: Sequence[Field]) -> dict[str, Any] | None:
    if any(field.type not in _VALUES for field in fields):
        return None
    row = [_VALUES[field.type] for field in fields]
    if fields[0].name is None:
        return {"inputs": [row]}
    return {"dataframe_split": {"columns": [field.name for field in fields], "data": [row]}}


def _of_tensors(signature: Signature) -> dict[str, Any] | None:
    fields = signature.inputs or ()
    if any(prod(map(abs, field.shape)) > _LARGEST_TENSOR for field in fields):
        return None
    tensors = {field.name: _tensor(field, field.shape) for field in fields}
    return {"inputs": tensors if signature.is_named else tensors[fields[0].name]}


def _tensor(field: Field, shape: Sequence[int]) -> Any:
    if not shape:
        kind = field.dtype or ""
        return "text" if kind in ("str", "object") else False if kind == "bool" else 0 if "int" in kind else 0.0
    return [_tensor(field, shape[1:]) for _ in range(abs(shape[0]))]


def _from_model(model: object) -> dict[str, Any] | None:
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        return {"dataframe_split": {"columns": [str(name) for name in names], "data": [[0.0] * len(names)]}}
    count = _feature_count(model)
    return {"inputs": [[0.0] * count]} if count else None


def _feature_count(model: object) -> int | None:
    """As scikit-learn and its like, LightGBM, and XGBoost say it."""
    for name in ("n_features_in_", "num_feature", "num_features"):
        found = getattr(model, name, None)
        count = found() if callable(found) else found
        if isinstance(count, int) and 0 < count <= _LARGEST_TENSOR:
            return count
    return None
