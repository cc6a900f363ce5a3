"""scikit-learn: an array instead of a frame where the model does not look at names, and known models by arithmetic."""

import warnings
from typing import Any

from mooring.modelserver.flavours.input import matrix_maker
from mooring.modelserver.flavours.predictor import Candidate
from mooring.modelserver.flavours.sklearn_arithmetic import Method, NotFinite, arithmetic
from mooring.modelserver.rows import Array, Layout


def candidates(estimator: Any, method: str, layout: Layout) -> list[Candidate]:
    """Quickest first. `method` is the flavour's predict function."""
    matrix = matrix_maker(layout)
    if matrix is None:
        return []
    silence_names()
    ask = getattr(estimator, method)
    found = [Candidate("sklearn", lambda rows: ask(matrix(rows)))]
    # Whole numbers become floats at places of scikit-learn's choosing.
    by_hand = arithmetic(estimator, method) if all(dtype.kind == "f" for dtype in layout.dtypes) else None
    if by_hand is not None:
        found.insert(0, Candidate("sklearn-arithmetic", lambda rows: _either(by_hand, ask, matrix(rows))))
    return found


def silence_names() -> None:
    """About arrays without names: meant for people who mix up columns, and ours are in the signature's order."""
    warnings.filterwarnings("ignore", message="X does not have valid feature names", category=UserWarning)


def _either(by_hand: Method, ask: Method, matrix: Array) -> Any:
    try:
        return by_hand(matrix)
    except NotFinite:
        return ask(matrix)
