"""Two versions of a model, trained on a data set that ships with scikit-learn."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

NAME = "diabetes"


@dataclass(frozen=True)
class Training:
    """What the demo needs to know of the registered versions: rows to ask about, and each version's own answers."""

    rows: pd.DataFrame
    answers: dict[str, list[float]]


def train_and_register(tracking_uri: str, *, log: Path) -> Training:
    """Train, log with signature and input example, and register versions 1 and 2 of `diabetes`.

    What MLflow tells meanwhile goes to `log`.
    """
    with log.open("w") as output, contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        return _train_and_register(tracking_uri)


def _train_and_register(tracking_uri: str) -> Training:
    import mlflow
    from sklearn.datasets import load_diabetes
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_experiment("mooring demo")
    features, target = load_diabetes(return_X_y=True, as_frame=True)
    pipelines: list[Any] = [
        make_pipeline(StandardScaler(), Ridge()),
        make_pipeline(StandardScaler(), PolynomialFeatures(2), Ridge(alpha=10)),
    ]
    rows, answers = features.head(20), {}
    for number, pipeline in enumerate(pipelines, start=1):
        pipeline.fit(features, target)
        with mlflow.start_run(run_name=f"version {number}"):
            mlflow.sklearn.log_model(
                pipeline,
                name="model",
                signature=mlflow.models.infer_signature(features, pipeline.predict(features)),
                input_example=features.head(2),
                registered_model_name=NAME,
            )
        answers[str(number)] = [float(value) for value in pipeline.predict(rows)]
    return Training(rows, answers)
