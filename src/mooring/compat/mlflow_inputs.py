"""What a user of MLflow gives to `predict`, as a body of the scoring protocol."""

import json
from typing import Any

import numpy as np
import pandas as pd

from mooring.compat.errors import CompatError

_BODIES = frozenset({"dataframe_split", "dataframe_records", "inputs", "instances", "messages", "prompt", "input"})


def body_of(inputs: Any) -> bytes:
    """A frame, an array, a dict of arrays, lists, or a body that is complete already. Raises CompatError."""
    match inputs:
        case bytes():
            return inputs
        case str():
            return inputs.encode()
        case pd.DataFrame():
            return f'{{"dataframe_split": {inputs.to_json(orient="split", index=False, date_format="iso")}}}'.encode()
        case dict() if not _BODIES.isdisjoint(inputs):
            return _json(inputs)
        case None:
            raise CompatError("there is nothing to predict: give inputs")
    return _json({"inputs": inputs})


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, default=_plain).encode()
    except (TypeError, ValueError) as error:
        raise CompatError(f"the inputs cannot be written as JSON: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic | pd.Series):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} has no form in JSON")
