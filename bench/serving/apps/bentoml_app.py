"""BentoML: a typed array in, an array out; adaptive batching when asked."""

from typing import Annotated, Any

import bentoml
import numpy as np
from bentoml.validators import DType, Shape

from bench.serving.apps.settings import Settings

_settings = Settings.read()
# `max_batch_size` counts rows, and a larger request is refused: it must exceed the largest.
_batching: dict[str, Any] = {"batchable": True, "max_batch_size": _settings.batch} if _settings.batch else {}
Input = Annotated[np.ndarray, DType(_settings.dtype), Shape(_settings.shape)]


@bentoml.service(workers=_settings.workers, traffic={"timeout": 60}, logging={"access": {"enabled": False}})
class Bench:
    """One method, as BentoML's guide on numeric models has it."""

    def __init__(self) -> None:
        self._predict = _settings.load()

    @bentoml.api(**_batching)
    def predict(self, x: Input) -> np.ndarray:
        return self._predict(x)
