"""LightGBM: arrays instead of frames, and its booster instead of scikit-learn's checks around it."""

from typing import Any

import numpy as np

from mooring.modelserver.flavours.input import matrix_maker
from mooring.modelserver.flavours.predictor import Candidate
from mooring.modelserver.flavours.sklearn import silence_names
from mooring.modelserver.rows import Array, Layout


def candidates(model: Any, method: str, layout: Layout) -> list[Candidate]:
    """For a `Booster` and for a model of the scikit-learn interface, quickest first."""
    matrix = matrix_maker(layout)
    if matrix is None or method != "predict":
        return []
    silence_names()
    by_model = Candidate("lightgbm", lambda rows: model.predict(matrix(rows)))
    booster = getattr(model, "booster_", None)
    if booster is None:
        return [by_model]
    classes = getattr(model, "classes_", None)
    return [Candidate("lightgbm-booster", lambda rows: _named(booster.predict(matrix(rows)), classes)), by_model]


def _named(answer: Array, classes: Array | None) -> Array:
    if classes is None:
        return answer
    shares = np.stack([1.0 - answer, answer], axis=1) if answer.ndim == 1 else answer
    named: Array = classes.take(shares.argmax(axis=1), axis=0)
    return named
