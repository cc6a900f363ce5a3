"""Predictions are written number for number as MLflow's scoring server writes them, quickly or not."""

import json
import math
import random
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.pyfunc.scoring_server import predictions_to_json

from mooring.modelserver.columnar.encoder import predictions_json

RNG = np.random.default_rng(6)
FRAME = pd.DataFrame({"a": [1.5, 2.5], "b": [1, 2], "c": [True, False], "d": ["x", "é\n"]})
PREDICTIONS: list[Any] = [
    *(RNG.normal(size=shape).astype(dtype) for shape in (1, 7, (1, 3), (5, 2), (2, 1, 3)) for dtype in "efd"),
    *(RNG.integers(0, 100, 5).astype(dtype) for dtype in ("int8", "uint8", "int32", "int64", "uint64", ">i4", "bool")),
    RNG.normal(size=(4, 6))[:, ::2],
    np.asfortranarray(RNG.normal(size=(4, 3))),
    RNG.normal(size=3).astype(">f8"),
    np.array([0.1, 1e300, 5e-324, -0.0, 1e16, 1e22, 123456789.0, 1 / 3]),
    np.array([0.1, 16777217.0, 1e-45, 3.4e38, 1 / 3], np.float32),
    np.array([2**63, 2**64 - 1], np.uint64),
    np.array([math.nan, math.inf, -math.inf, 1.0]),
    np.array([math.nan, 1.0], np.float32),
    np.array(1.5),
    np.array("text"),
    np.array([]),
    np.empty((0, 3)),
    np.array(["a", "null", "é"]),
    np.array([["a"], ["b"]]),
    np.array(["a", "b"], object),
    np.array(["a", None, 1.5, True], object),
    np.array([b"\xff", b""], object),
    np.array(["2024-01-01"], "datetime64[ns]"),
    np.array(["\ud800"], object),
    FRAME,
    FRAME.astype({"a": "float32", "b": "int8"}),
    FRAME.iloc[:0],
    FRAME.iloc[1:],
    FRAME[[]],
    FRAME.rename(columns={"a": 0, "b": 1}),
    FRAME.rename(columns={"a": 1.5}),
    FRAME.rename(columns={"a": "null"}),
    pd.DataFrame({"a": [1.5, None], "b": ["x", None], "c": [None, None]}),
    pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}),
    pd.DataFrame({"a": pd.to_datetime(["2024-01-01"]), "b": [[1, 2]]}),
    pd.DataFrame({"a": pd.Categorical(["x", "y"])}),
    pd.DataFrame(RNG.normal(size=(3, 2)), columns=["x", "x"]),
    pd.DataFrame({"a": [2**70, 1]}),
    pd.Series([1.5, 2.5]),
    pd.Series([1, 2], name="n"),
    pd.Series(["x", "y"], index=[5, 6], name=("a", "b")),
    {"a": np.array([1.5]), "b": np.array([1, 2])},
    {"a": np.array([1.5]), "b": [1]},
    {1: np.array([1.5])},
    {},
    [],
    [1.5, "x", None, {"a": np.float32(0.1)}],
    "text",
    None,
    5,
]


def _as_mlflow_writes_it(prediction: Any) -> str | None:
    text = StringIO()
    try:
        predictions_to_json(prediction, text)
    except (TypeError, ValueError):
        return None
    return text.getvalue()


def _tokens(text: str | bytes) -> str:
    """The values with their types: 1 is not 1.0, NaN is NaN."""
    return repr(json.loads(text))


@pytest.mark.filterwarnings("ignore:DataFrame columns are not unique")
@pytest.mark.parametrize("prediction", PREDICTIONS, ids=lambda prediction: type(prediction).__name__)
def test_every_kind_of_prediction(prediction: Any) -> None:
    reference = _as_mlflow_writes_it(prediction)
    if reference is None:
        with pytest.raises((TypeError, ValueError)):
            predictions_json(prediction)
    else:
        assert _tokens(predictions_json(prediction)) == _tokens(reference)


def test_every_float_keeps_its_digits() -> None:
    rng = random.Random(6)
    bits = np.array([rng.getrandbits(64) for _ in range(20_000)], np.uint64)
    for floats in (
        bits.view(np.float64),
        bits.astype(np.uint32).view(np.float32),
        bits.astype(np.uint16).view(np.float16),
    ):
        finite = floats[np.isfinite(floats)]
        assert json.loads(predictions_json(finite)) == {"predictions": finite.tolist()}
