"""Trees of scikit-learn, compiled: the same leaves for every row, and their sum but for the order of adding up."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)

from mooring.modelserver.flavours import tree_graph as trees
from mooring.modelserver.flavours.compiled import TOLERANCE, compiled
from mooring.modelserver.flavours.equality import difference
from mooring.modelserver.flavours.sklearn_arithmetic import NotFinite
from mooring.modelserver.rows import Layout, Rows, Shape
from tests.modelserver.flavour_models import AMOUNTS, FLAGS, MATRIX, NUMBERS, WORDS, save_sklearn, served

pytest.importorskip("onnxruntime", reason="onnxruntime (extra: compiled) is missing")
pytest.importorskip("onnx", reason="onnx (extra: compiled) is missing")

LAYOUT = Layout(Shape.MATRIX, tuple("abcdef"), (np.dtype(np.float64),) * 6)
COUNTS = np.round(np.abs(AMOUNTS))


def _rows(matrix: Any) -> Rows:
    return Rows((np.ascontiguousarray(matrix),), len(matrix))


def _on_the_splits(estimator: Any) -> Any:
    """Rows whose values are the thresholds of the trees, and the next doubles on either side."""
    splits = [node for (tree,) in estimator._predictors for node in tree.nodes if not node["is_leaf"]][:30]
    rows = np.repeat(MATRIX[: len(splits)], 3, axis=0)
    for at, node in enumerate(splits):
        split = node["num_threshold"]
        around = (split, np.nextafter(split, -np.inf), np.nextafter(split, np.inf))
        rows[3 * at : 3 * at + 3, node["feature_idx"]] = around
    return rows


@pytest.mark.parametrize(
    ("estimator", "target", "method"),
    [
        (HistGradientBoostingRegressor(max_iter=20), AMOUNTS, "predict"),
        (HistGradientBoostingRegressor(max_iter=5, loss="poisson"), COUNTS, "predict"),
        (HistGradientBoostingClassifier(max_iter=8), FLAGS, "predict"),
        (HistGradientBoostingClassifier(max_iter=8), FLAGS, "predict_proba"),
        (HistGradientBoostingClassifier(max_iter=4), WORDS, "predict"),
        (HistGradientBoostingClassifier(max_iter=4), WORDS, "predict_proba"),
        (RandomForestRegressor(12, random_state=0), AMOUNTS, "predict"),
        (ExtraTreesRegressor(7, random_state=0), AMOUNTS, "predict"),
        (HistGradientBoostingRegressor(max_iter=3), np.ones(300), "predict"),  # each tree is one leaf
        (RandomForestRegressor(3), np.ones(300), "predict"),
    ],
)
def test_compiled_trees_answer_as_the_library(estimator: Any, target: Any, method: str) -> None:
    estimator.fit(MATRIX, target)
    candidate = compiled(estimator, method, LAYOUT, 1)
    assert candidate is not None
    far = np.concatenate([MATRIX, MATRIX * 7, MATRIX.astype(np.float32).astype(np.float64)])
    for matrix in (far, far[:1], far[:7]):
        assert difference(getattr(estimator, method)(matrix), candidate.ask(_rows(matrix)), TOLERANCE) is None


def test_a_value_at_a_split_goes_the_same_way() -> None:
    estimator = HistGradientBoostingRegressor(max_iter=10).fit(MATRIX, AMOUNTS)
    matrix, candidate = _on_the_splits(estimator), compiled(estimator, "predict", LAYOUT, 1)
    assert candidate is not None
    assert difference(estimator.predict(matrix), candidate.ask(_rows(matrix)), TOLERANCE) is None


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_missing_and_infinite_values_are_left_to_the_library(value: float) -> None:
    estimator = HistGradientBoostingRegressor(max_iter=3).fit(MATRIX, AMOUNTS)
    candidate, spoilt = compiled(estimator, "predict", LAYOUT, 1), MATRIX[:3].copy()
    spoilt[1, 2] = value
    assert candidate is not None
    with pytest.raises(NotFinite):
        candidate.ask(_rows(spoilt))


def test_trees_that_split_by_categories_are_not_written() -> None:
    matrix = MATRIX.copy()
    matrix[:, 0] = np.arange(300) % 9
    amounts = np.where(np.isin(matrix[:, 0], [1, 4, 6]), 10.0, 0.0)
    estimator = HistGradientBoostingRegressor(max_iter=3, categorical_features=[0]).fit(matrix, amounts)
    assert trees.tree_graph(estimator, 6) is None


def test_trees_that_are_too_large_are_named(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(trees, "_MOST_NODES", 10)
    estimator = RandomForestRegressor(3).fit(MATRIX, AMOUNTS)
    assert compiled(estimator, "predict", LAYOUT, 1) is None
    assert "more than 10 are not compiled" in caplog.text


def test_boosted_trees_are_served_compiled(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    save_sklearn(HistGradientBoostingRegressor(max_iter=60), NUMBERS, AMOUNTS, tmp_path / "m")
    ours = served(tmp_path / "m", compile_it=True)
    assert ours.predictor.name == "onnx-compiled", caplog.text
    spoilt = MATRIX[:5].copy()
    spoilt[2, 3] = np.nan
    answer = ours.predictor.predict(_rows(spoilt))
    assert difference(ours.model.pyfunc.predict(pd.DataFrame(spoilt, columns=list("abcdef"))), answer) is None
