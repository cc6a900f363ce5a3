"""Small models of each library, saved by MLflow, with the way that they are to be asked."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature, infer_signature
from mlflow.types.schema import Schema, TensorSpec
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler
from threadpoolctl import threadpool_limits

from mooring.modelserver.columnar.layout import layout_of
from mooring.modelserver.flavours import predictor_for
from mooring.modelserver.model import LoadedModel, load
from mooring.modelserver.rows import Array, Layout, Rows, Shape

# As in the server: teams of threads wait for each other where many tests share the cores.
threadpool_limits(1)
RANDOM = np.random.default_rng(7)
MATRIX = RANDOM.standard_normal((300, 6)) * [1.0, 10.0, 0.1, 5.0, 1.0, 100.0]
NUMBERS = pd.DataFrame(MATRIX, columns=list("abcdef"))
AMOUNTS = MATRIX[:, 0] * 3 + MATRIX[:, 1] + np.sin(MATRIX[:, 3])
WORDS = np.array(["low", "middle", "high"], dtype=object)[np.digitize(AMOUNTS, [-5.0, 5.0])]
FLAGS = (AMOUNTS > 0).astype(int)
MIXED = NUMBERS.iloc[:, :3].assign(
    colour=np.where(MATRIX[:, 4] > 0, "red", "blue"), count=np.arange(300) % 5, gone=MATRIX[:, 5] > 0
)
_ANSWER = Schema([TensorSpec(np.dtype("float64"), (-1,))])


@dataclass(frozen=True)
class Case:
    """`expected` is the name of the predictor that has to serve it."""

    name: str
    expected: str
    save: Callable[[Path], None]


@dataclass(frozen=True)
class Served:
    """A loaded model beside its predictor."""

    model: LoadedModel
    layout: Layout
    predictor: Any


def served(folder: Path, batching: str = "auto", **options: Any) -> Served:
    """Load it and choose its predictor, as the server does."""
    model = load(str(folder), folder.parent)
    layout = layout_of(model.signature)
    assert layout is not None
    return Served(model, layout, predictor_for(model, layout, batching, **options))


def rows_like(served: Served, data: "pd.DataFrame | Array") -> Rows:
    """Rows as a decoder makes them."""
    if isinstance(data, np.ndarray):
        return Rows((data.astype(served.layout.dtypes[0]),), len(data))
    if served.layout.shape is Shape.MATRIX:
        return Rows((np.ascontiguousarray(data.to_numpy(served.layout.dtypes[0])),), len(data))
    columns = zip(data.columns, served.layout.dtypes, strict=True)
    return Rows(tuple(data[name].to_numpy(dtype) for name, dtype in columns), len(data))


def save_sklearn(estimator: Any, data: Any, target: Array, folder: Path, **options: Any) -> None:
    estimator.fit(data, target)
    signature = infer_signature(data, estimator.predict(data))
    mlflow.sklearn.save_model(
        estimator, str(folder), signature=signature, serialization_format="cloudpickle", pip_requirements=[], **options
    )


def _sklearn(name: str, expected: str, make: Callable[[], Any], target: Array, data: Any = NUMBERS, **o: Any) -> Case:
    return Case(name, expected, lambda folder: save_sklearn(make(), data, target, folder, **o))


_BY_HAND, _PROBABILITIES = "sklearn-arithmetic", {"pyfunc_predict_fn": "predict_proba"}
SKLEARN = [
    _sklearn("logistic", _BY_HAND, lambda: make_pipeline(StandardScaler(), LogisticRegression()), FLAGS),
    _sklearn("three-words", _BY_HAND, lambda: make_pipeline(RobustScaler(), LogisticRegression(max_iter=500)), WORDS),
    _sklearn("chances", _BY_HAND, lambda: make_pipeline(MinMaxScaler(), LogisticRegression()), FLAGS, **_PROBABILITIES),
    _sklearn(
        "three-chances", _BY_HAND, lambda: make_pipeline(MaxAbsScaler(), LogisticRegression()), WORDS, **_PROBABILITIES
    ),
    _sklearn("ridge", _BY_HAND, lambda: make_pipeline(MaxAbsScaler(), Ridge()), AMOUNTS),
    _sklearn("lasso", _BY_HAND, Lasso, AMOUNTS),
    _sklearn("forest", _BY_HAND, partial(RandomForestClassifier, 15, n_jobs=2), WORDS),
    _sklearn("forest-chances", _BY_HAND, partial(RandomForestClassifier, 15), WORDS, **_PROBABILITIES),
    _sklearn("forest-amounts", _BY_HAND, partial(RandomForestRegressor, 15), AMOUNTS),
    _sklearn("boosted", _BY_HAND, partial(HistGradientBoostingRegressor, max_iter=15), AMOUNTS),
    _sklearn("boosted-poisson", _BY_HAND, lambda: HistGradientBoostingRegressor("poisson", max_iter=9), abs(AMOUNTS)),
    _sklearn("boosted-words", _BY_HAND, partial(HistGradientBoostingClassifier, max_iter=9), WORDS),
    _sklearn("boosted-flags", _BY_HAND, partial(HistGradientBoostingClassifier, max_iter=9), FLAGS, **_PROBABILITIES),
    _sklearn("array", _BY_HAND, lambda: make_pipeline(StandardScaler(), LinearRegression()), AMOUNTS, MATRIX),
    _sklearn("narrow", _BY_HAND, lambda: make_pipeline(StandardScaler(), Ridge()), AMOUNTS, NUMBERS.astype("float32")),
    _sklearn("whole-numbers", "sklearn", LogisticRegression, FLAGS, NUMBERS.round().astype("int64")),
    _sklearn(
        "columns-by-name", "pyfunc",
        lambda: make_pipeline(
            make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["colour"]), remainder="passthrough"),
            LogisticRegression(max_iter=2000),
        ),
        FLAGS, MIXED,
    ),
]  # fmt: skip


def _xgboost(folder: Path, make: Callable[[Any], Any]) -> None:
    import xgboost

    model = make(xgboost)
    answer = model.predict(xgboost.DMatrix(NUMBERS) if isinstance(model, xgboost.Booster) else NUMBERS)
    mlflow.xgboost.save_model(model, str(folder), signature=infer_signature(NUMBERS, answer), pip_requirements=[])


def _lightgbm(folder: Path, make: Callable[[Any], Any]) -> None:
    import lightgbm

    model = make(lightgbm)
    signature = infer_signature(NUMBERS, model.predict(NUMBERS))
    options = {} if isinstance(model, lightgbm.Booster) else {"serialization_format": "cloudpickle"}
    mlflow.lightgbm.save_model(model, str(folder), signature=signature, pip_requirements=[], **options)


def _catboost(folder: Path, make: Callable[[Any], Any]) -> None:
    import catboost

    model = make(catboost)
    signature = infer_signature(NUMBERS, model.predict(NUMBERS))
    mlflow.catboost.save_model(model, str(folder), signature=signature, pip_requirements=[])


TREES = [
    Case("xgboost-booster", "xgboost", partial(
        _xgboost, make=lambda lib: lib.train({"max_depth": 3}, lib.DMatrix(NUMBERS, AMOUNTS), 10))),
    Case("xgboost-classes", "xgboost", partial(
        _xgboost, make=lambda lib: lib.XGBClassifier(n_estimators=9).fit(NUMBERS, FLAGS))),
    Case("xgboost-amounts", "xgboost", partial(
        _xgboost, make=lambda lib: lib.XGBRegressor(n_estimators=9).fit(NUMBERS, AMOUNTS))),
    Case("lightgbm-booster", "lightgbm", partial(
        _lightgbm, make=lambda lib: lib.train({"verbose": -1}, lib.Dataset(NUMBERS, AMOUNTS), 10))),
    Case("lightgbm-words", "lightgbm-booster", partial(
        _lightgbm, make=lambda lib: lib.LGBMClassifier(n_estimators=9, verbose=-1).fit(NUMBERS, WORDS))),
    Case("lightgbm-flags", "lightgbm-booster", partial(
        _lightgbm, make=lambda lib: lib.LGBMClassifier(n_estimators=9, verbose=-1).fit(NUMBERS, FLAGS))),
    Case("lightgbm-amounts", "lightgbm-booster", partial(
        _lightgbm, make=lambda lib: lib.LGBMRegressor(n_estimators=9, verbose=-1).fit(NUMBERS, AMOUNTS))),
    Case("catboost-words", "catboost", partial(
        _catboost, make=lambda lib: lib.CatBoostClassifier(iterations=9, verbose=0, allow_writing_files=False).fit(
            NUMBERS, WORDS))),
    Case("catboost-amounts", "catboost", partial(
        _catboost, make=lambda lib: lib.CatBoostRegressor(iterations=9, verbose=0, allow_writing_files=False).fit(
            NUMBERS, AMOUNTS))),
]  # fmt: skip


def _onnx(folder: Path, signature: ModelSignature) -> None:
    from skl2onnx import to_onnx

    fitted = make_pipeline(StandardScaler(), Ridge()).fit(MATRIX, AMOUNTS)
    graph = to_onnx(fitted, MATRIX[:1].astype(np.float32))
    mlflow.onnx.save_model(graph, str(folder), signature=signature, pip_requirements=[])


def _tensor(name: str | None) -> ModelSignature:
    return ModelSignature(Schema([TensorSpec(np.dtype("float32"), (-1, 6), name)]), _ANSWER)


def _statsmodels(folder: Path, formula: str | None) -> None:
    import statsmodels.api
    import statsmodels.formula.api

    fitted = (
        statsmodels.formula.api.ols(formula, NUMBERS.assign(y=AMOUNTS)).fit()
        if formula
        else statsmodels.api.OLS(AMOUNTS, NUMBERS).fit()
    )
    signature = infer_signature(NUMBERS, fitted.predict(NUMBERS))
    mlflow.statsmodels.save_model(fitted, str(folder), signature=signature, pip_requirements=[])


OTHERS = [
    Case("onnx-table", "onnx", partial(_onnx, signature=infer_signature(NUMBERS, AMOUNTS))),
    Case("onnx-tensor", "onnx", partial(_onnx, signature=_tensor(None))),
    Case("onnx-named-tensor", "onnx", partial(_onnx, signature=_tensor("X"))),
    Case("statsmodels", "pyfunc", partial(_statsmodels, formula=None)),
    Case("statsmodels-formula", "pyfunc", partial(_statsmodels, formula="y ~ a + center(b) + np.exp(c)")),
]
