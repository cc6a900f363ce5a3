"""Values that MLflow lets pass and that many models cannot work with: none at all, missing ones, infinite ones.

Only looked for when a model has failed: one that can work with them is not disturbed.
"""

from typing import Any

import numpy as np
import pandas as pd

from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.schema import Signature


def doubtful_value(data: Any, signature: Signature) -> InvalidInput | None:
    """The first such value of what was given to a model, with its place; None when there is none."""
    if isinstance(data, pd.DataFrame | np.ndarray) and data.shape[:1] == (0,):
        return InvalidInput("the input has no rows")
    if isinstance(data, pd.DataFrame):
        return _in_frame(data, signature)
    if isinstance(data, dict):
        return next(filter(None, (_in_array(f"input '{name}'", values) for name, values in data.items())), None)
    return _in_array("the input", data)


def _in_frame(frame: pd.DataFrame, signature: Signature) -> InvalidInput | None:
    optional = {field.name for field in signature.inputs or () if not field.required}
    types = {field.name: field.type for field in signature.inputs or ()}
    for name in frame.columns:
        column = frame[name]
        wrong = column.isna() | column.isin([np.inf, -np.inf])
        if name not in optional and wrong.any():
            row = int(wrong.to_numpy().argmax())
            got = "a missing value" if pd.isna(column.iloc[row]) else "an infinite one"
            return InvalidInput(f"column '{name}', row {row}: expected {types.get(name, 'a value')}, got {got}")
    return None


def _in_array(what: str, values: Any) -> InvalidInput | None:
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fO" or values.ndim == 0:
        return None
    wrong = ~np.isfinite(values) if values.dtype.kind == "f" else pd.isna(values)
    if not wrong.any():
        return None
    at = tuple(int(index) for index in np.argwhere(wrong)[0])
    got = "an infinite value" if values.dtype.kind == "f" and np.isinf(values[at]) else "a missing value"
    return InvalidInput(f"{what}, row {at[0]}: {got} at {list(at)}")
