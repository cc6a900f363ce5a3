"""Models for whole-system tests: good ones whose answers tell them apart, and bad ones of every kind."""

import warnings
from dataclasses import dataclass
from pathlib import Path

ROW = {"inputs": [[1.0], [2.0]]}


@dataclass(frozen=True)
class Models:
    """Folders below `folder`. `times(n)` multiplies by n; the others fail in the way that their name says."""

    folder: Path

    def uri(self, name: str) -> str:
        return f"file://{self.folder / name}"

    def times(self, factor: int) -> str:
        return self.uri(f"times{factor}")


_TIMES = """
import mlflow, numpy, time, pathlib, os

class Model(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        {load}
    def predict(self, context, model_input, params=None):
        {predict}
        return numpy.asarray(model_input, dtype=float).ravel() * {factor}

mlflow.models.set_model(Model())
"""

_DIE = "if float(numpy.asarray(model_input).ravel()[0]) == 666.0: os.kill(os.getpid(), 9)"


def save_models(folder: Path) -> Models:
    """Write them all (models from code, so that nothing is pickled)."""
    for factor in (2, 3, 5):
        _save(folder / f"times{factor}", factor=factor, predict=_DIE)
    _save(folder / "slow", factor=7, predict="time.sleep(0.3)")
    _save(folder / "cannot-load", load="raise RuntimeError('the weights are missing')")
    _save(folder / "fails", predict="raise RuntimeError('the weights are wrong')")
    _save(folder / "hangs", load="time.sleep(600)")
    _save(
        folder / "dies-later", load="import threading; threading.Timer(1.5, lambda: os.kill(os.getpid(), 11)).start()"
    )
    return Models(folder)


def _save(target: Path, *, factor: int = 1, load: str = "pass", predict: str = "pass") -> None:
    import mlflow
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    code = target.with_suffix(".py")
    code.write_text(_TIMES.format(load=load, predict=predict, factor=factor))
    tensor = Schema([TensorSpec(np.dtype("float64"), (-1, 1))])
    with warnings.catch_warnings(action="ignore"):  # MLflow would like type hints and examples; not here
        mlflow.pyfunc.save_model(
            target,
            python_model=str(code),
            signature=ModelSignature(inputs=tensor, outputs=Schema([TensorSpec(np.dtype("float64"), (-1,))])),
            pip_requirements=["mlflow", "numpy"],
        )
