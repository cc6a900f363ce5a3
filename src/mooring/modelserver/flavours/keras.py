"""Keras: batches straight into the compiled function; `predict` sets up a whole loop over data sets for each call."""

from typing import Any

import numpy as np

from mooring.modelserver.flavours.input import assembler
from mooring.modelserver.flavours.predictor import Candidate
from mooring.modelserver.rows import Layout, Rows, Shape

_AT_ONCE = 32
"""As many rows as `predict` takes at a time: the same shapes give the same bits."""


def candidates(model: Any, method: str, layout: Layout) -> list[Candidate]:
    """For models of tensors with one output."""
    if layout.shape is not Shape.TENSORS or method != "predict" or not hasattr(model, "predict_on_batch"):
        return []
    assemble = assembler(layout)

    def ask(rows: Rows) -> Any:
        starts = range(0, rows.count, _AT_ONCE)
        parts = [rows.part(at, min(at + _AT_ONCE, rows.count)) for at in starts]
        return np.concatenate([np.asarray(model.predict_on_batch(assemble(part))) for part in parts])

    return [Candidate("keras", ask)]
