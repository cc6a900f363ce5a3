"""A batch's predictions, cut apart into those of each request."""

from typing import Any

import numpy as np
import pandas as pd


def length(prediction: Any) -> int | None:
    """How many rows a prediction has; None when it cannot be cut."""
    if isinstance(prediction, dict):
        lengths = {length(value) for value in prediction.values()}
        return lengths.pop() if len(lengths) == 1 else None
    if isinstance(prediction, np.ndarray):
        return len(prediction) if prediction.ndim else None
    return len(prediction) if isinstance(prediction, pd.DataFrame | pd.Series | list) else None


def part(prediction: Any, start: int, stop: int) -> Any:
    """Some rows of a prediction that has a `length`, as the model would have returned them alone."""
    if isinstance(prediction, dict):
        return {name: part(value, start, stop) for name, value in prediction.items()}
    if isinstance(prediction, pd.DataFrame | pd.Series):
        rows = prediction.iloc[start:stop]
        rows.index = pd.RangeIndex(stop - start)
        return rows
    return prediction[start:stop]
