"""ONNX: the runtime's session, fed with arrays; what it answers is wrapped as MLflow wraps it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from mooring.modelserver.flavours.input import matrix_maker
from mooring.modelserver.flavours.predictor import Candidate
from mooring.modelserver.rows import Array, Layout, Rows, Shape

Feed = dict[str, Array]


def candidates(session: Any, method: str, layout: Layout) -> list[Candidate]:
    """`session` is an `onnxruntime.InferenceSession`."""
    inputs = {put.name: put.type for put in session.get_inputs()}
    outputs = [put.name for put in session.get_outputs()]
    feed = _feeder(list(inputs), layout)
    if feed is None or method != "predict":
        return []
    narrow = {name for name, kind in inputs.items() if kind == "tensor(float)"}
    wrap = _tensors if layout.shape is Shape.TENSORS else _table

    def ask(rows: Rows) -> Any:
        return wrap(outputs, session.run(outputs, _narrowed(feed(rows), narrow)))

    return [Candidate("onnx", ask)]


def _feeder(inputs: list[str], layout: Layout) -> Callable[[Rows], Feed] | None:
    if layout.shape is Shape.COLUMNS and len(inputs) > 1:
        places = {name: layout.names.index(name) for name in inputs if name in layout.names}
        return lambda rows: {name: rows.arrays[at] for name, at in places.items()}
    if layout.shape is Shape.TENSORS and layout.names[0] is not None:
        return lambda rows: dict(zip((str(name) for name in layout.names), rows.arrays, strict=True))
    matrix = matrix_maker(layout)
    return (lambda rows: {inputs[0]: matrix(rows)}) if matrix and len(inputs) == 1 else None


def _narrowed(feed: Feed, narrow: set[str]) -> Feed:
    return {
        name: array.astype(np.float32) if name in narrow and array.dtype == np.float64 else array
        for name, array in feed.items()
    }


def _tensors(names: list[str], answers: list[Any]) -> dict[str, Any]:
    return dict(zip(names, answers, strict=True))


def _table(names: list[str], answers: list[Any]) -> pd.DataFrame:
    return pd.DataFrame({name: np.asarray(answer).reshape(-1) for name, answer in zip(names, answers, strict=True)})
