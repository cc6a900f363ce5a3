"""XGBoost: its predictions in place, instead of a `DMatrix` made of a frame."""

from typing import Any

import numpy as np

from mooring.modelserver.flavours.input import matrix_maker
from mooring.modelserver.flavours.predictor import Candidate
from mooring.modelserver.rows import Array, Layout


def candidates(model: Any, method: str, layout: Layout) -> list[Candidate]:
    """For a `Booster` and for a model of the scikit-learn interface."""
    matrix = matrix_maker(layout)
    if matrix is None or method != "predict":
        return []
    if hasattr(model, "get_booster"):
        # Names are not compared: the columns are in the signature's order.
        return [Candidate("xgboost", lambda rows: model.predict(matrix(rows), validate_features=False))]
    return [Candidate("xgboost", lambda rows: _in_place(model, matrix(rows)))]


def _in_place(booster: Any, matrix: Array) -> Any:
    narrow = matrix.astype(np.float32)
    if np.isinf(narrow).any():  # a `DMatrix` refuses them
        import xgboost

        return booster.predict(xgboost.DMatrix(matrix), validate_features=False)
    return booster.inplace_predict(narrow, validate_features=False)
