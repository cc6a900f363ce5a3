"""The models that are served, logged once, and what they answer when they are asked directly."""

import logging
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

COLUMNS = {"m1": 10, "m2": 30}
IMAGE = (3, 224, 224)
TITLES = {
    "m1": "M1: scikit-learn pipeline (scaler, logistic regression), 10 columns",
    "m2": "M2: gradient-boosted trees (100), 30 columns",
    "image": "Image: a float32 tensor of 3×224×224, the mean of each channel",
}

_PYFUNC = """
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class ChannelMeans(PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input.mean(axis=(2, 3))


set_model(ChannelMeans())
"""


@dataclass(frozen=True)
class Model:
    """One logged model: `name` is a key of TITLES."""

    name: str
    folder: Path


@cache
def questions(model: Model, rows: int) -> list[tuple[Array, Array]]:
    """Some inputs, of (rows, columns) in float64 or (rows, 3, 224, 224) in float32, with the answers of the model."""
    random = np.random.default_rng(rows)
    if model.name == "image":
        images = [random.random((rows, *IMAGE), np.float32) for _ in range(2)]
        return [(each, each.mean(axis=(2, 3))) for each in images]
    import mlflow.sklearn

    estimator = mlflow.sklearn.load_model(str(model.folder))
    tables = [random.normal(size=(rows, COLUMNS[model.name])) for _ in range(64 if rows == 1 else 8)]
    return [(each, estimator.predict(each)) for each in tables]


def make_models(names: Iterable[str], folder: Path) -> dict[str, Model]:
    """Those of TITLES that are named, saved under `folder`."""
    warnings.filterwarnings("ignore", category=UserWarning)
    import mlflow  # noqa: F401 (it sets its own level when it is imported)

    logging.getLogger("mlflow").setLevel(logging.ERROR)  # pickles are meant here
    makers = {"m1": _save_pipeline, "m2": _save_trees, "image": _save_image}
    models = {name: Model(name, folder / name) for name in names}
    for name, model in models.items():
        makers[name](model.folder)
    return models


def _save_pipeline(folder: Path) -> None:
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    table, labels = make_classification(20_000, COLUMNS["m1"], n_informative=6, random_state=0)
    _save(make_pipeline(StandardScaler(), LogisticRegression()), table, labels, folder)


def _save_trees(folder: Path) -> None:
    from sklearn.datasets import make_regression
    from sklearn.ensemble import HistGradientBoostingRegressor

    table, target = make_regression(20_000, COLUMNS["m2"], noise=5.0, random_state=0)
    _save(HistGradientBoostingRegressor(max_iter=100, early_stopping=False, random_state=0), table, target, folder)


def _save(estimator: Any, table: Array, target: Array, folder: Path) -> None:
    import mlflow.sklearn
    import pandas as pd
    from mlflow.models import infer_signature

    frame = pd.DataFrame(table, columns=[f"f{number}" for number in range(table.shape[1])])
    signature = infer_signature(frame, estimator.fit(frame, target).predict(frame))
    mlflow.sklearn.save_model(
        estimator,
        folder,
        signature=signature,
        input_example=frame.head(2),
        pip_requirements=["scikit-learn"],
        serialization_format="cloudpickle",
    )


def _save_image(folder: Path) -> None:
    import mlflow.pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    code = folder.with_suffix(".py")
    code.write_text(_PYFUNC)
    tensors = (TensorSpec(np.dtype("float32"), (-1, *IMAGE)), TensorSpec(np.dtype("float32"), (-1, IMAGE[0])))
    mlflow.pyfunc.save_model(
        folder,
        python_model=str(code),
        signature=ModelSignature(*(Schema([tensor]) for tensor in tensors)),
        input_example=np.zeros((1, *IMAGE), np.float32),
        pip_requirements=["numpy"],
    )
