"""What the run tells a peer's program, by way of its environment; and the model, loaded the quickest way."""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Predict = Callable[[Array], Array]


@dataclass(frozen=True)
class Settings:
    """`batch` is how many requests may share one prediction (0: none do), waiting for each other for `wait_ms`."""

    model: Path
    port: int
    workers: int
    batch: int
    wait_ms: float

    @staticmethod
    def read() -> "Settings":
        """From `BENCH_…`."""
        return Settings(
            model=Path(os.environ["BENCH_MODEL"]),
            port=int(os.environ["BENCH_PORT"]),
            workers=int(os.environ.get("BENCH_WORKERS", "1")),
            batch=int(os.environ.get("BENCH_BATCH", "0")),
            wait_ms=float(os.environ.get("BENCH_WAIT_MS", "0")),
        )

    @property
    def is_image(self) -> bool:
        return self.model.name == "image"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one request's array, the first dimension open."""
        return (-1, 3, 224, 224) if self.is_image else (-1, {"m1": 10, "m2": 30}[self.model.name])

    @property
    def dtype(self) -> str:
        return "float32" if self.is_image else "float64"

    def load(self) -> Predict:
        """The model's own function on an array: no data frame, no check of the schema."""
        warnings.filterwarnings("ignore")
        if self.is_image:
            return channel_means
        import mlflow.sklearn

        predict: Predict = mlflow.sklearn.load_model(str(self.model)).predict
        return predict


def channel_means(images: Array) -> Array:
    """Of (images, channels, height, width)."""
    means: Array = images.mean(axis=(2, 3))
    return means
