"""CatBoost: arrays instead of frames, without waking other threads for a few rows."""

from typing import Any

from mooring.modelserver.flavours.input import matrix_maker
from mooring.modelserver.flavours.predictor import Candidate
from mooring.modelserver.rows import Layout
from mooring.modelserver.threads import thread_count


def candidates(model: Any, method: str, layout: Layout) -> list[Candidate]:
    """For models of numbers; those with categories look at the types of a frame's columns."""
    matrix = matrix_maker(layout)
    if matrix is None or method != "predict":
        return []
    threads = thread_count()
    return [Candidate("catboost", lambda rows: model.predict(matrix(rows), thread_count=threads))]
