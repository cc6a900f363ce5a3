"""scikit-learn models compiled: as ONNX, and run by its runtime in one call.

An option, and only for models whose compiled answers have been seen to be the same on thousands of rows. Classes and
whole numbers have to be equal. Numbers may differ by `TOLERANCE` epsilons of the largest: the runtime adds up in
another order, as a BLAS of another make does. What is not the same is served by the model's own library.
"""

import logging
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from mooring.modelserver.errors import describe
from mooring.modelserver.flavours.equality import difference
from mooring.modelserver.flavours.input import matrix_maker
from mooring.modelserver.flavours.predictor import Ask, Candidate
from mooring.modelserver.flavours.sklearn_arithmetic import NotFinite, from_sums
from mooring.modelserver.flavours.tree_graph import tree_graph
from mooring.modelserver.rows import Array, Layout, Rows, Shape

_logger = logging.getLogger("mooring.modelserver")

TOLERANCE = 64.0
PROBE_ROWS = 2_048
_TRIES = 10


def compiled(estimator: Any, method: str, layout: Layout, threads: int) -> Candidate | None:
    """The model as an ONNX session; None, with the reason in the log, when it cannot be converted."""
    matrix = matrix_maker(layout)
    if matrix is None or method not in ("predict", "predict_proba"):
        _logger.warning("not compiled: only predictions of numbers from numbers are")
        return None
    try:
        width = int(estimator.n_features_in_) if layout.shape is Shape.TENSORS else len(layout.dtypes)
        ask = _of_trees(estimator, method, width, threads) or _converted(estimator, method, width, threads)
    except Exception as error:  # noqa: BLE001 - the converter raises what it likes about what it does not know
        _logger.warning("not compiled: %s", describe(error)[:300])
        return None
    return Candidate("onnx-compiled", lambda rows: ask(matrix(rows)))


def with_doubts(candidate: Candidate, chosen: Candidate) -> Candidate:
    """The compiled model, and the way that it was compared with for what it cannot judge."""

    def ask(rows: Rows) -> object:
        try:
            return candidate.ask(rows)
        except NotFinite:
            return chosen.ask(rows)

    return Candidate(candidate.name, ask)


def objection(candidate: Candidate, chosen: Candidate, probes: list[Rows]) -> str | None:
    """Why a compiled model is not served: it answers otherwise than the one that it was made of, or is not quicker."""
    for rows in probes:
        try:
            found = difference(chosen.ask(rows), candidate.ask(rows), TOLERANCE)
        except Exception as error:  # noqa: BLE001 - either may raise anything, and then they are not known to be equal
            found = describe(error)[:300]
        if found:
            return f"it answers otherwise, with {rows.count} rows: {found}"
    if _seconds(candidate.ask, probes) >= _seconds(chosen.ask, probes):
        return f"{chosen.name} is as quick"
    return None


def _seconds(ask: Ask, probes: list[Rows]) -> float:
    """Of one row and of as many as are often waiting together; the best of some tries."""
    return sum(_best(ask, probes[0].part(0, count)) for count in (1, 64))


def _best(ask: Ask, rows: Rows) -> float:
    best = float("inf")
    for _ in range(_TRIES):
        started = time.perf_counter()
        ask(rows)
        best = min(best, time.perf_counter() - started)
    return best


def _of_trees(estimator: Any, method: str, width: int, threads: int) -> Callable[[Array], Any] | None:
    """Trees that are written down here, as the converter knows few of them in doubles."""
    graph = tree_graph(estimator, width)
    session = _session(graph, threads) if graph else None
    return session and from_sums(estimator, method, lambda matrix: _run(session, "sums", matrix))


def _converted(estimator: Any, method: str, width: int, threads: int) -> Callable[[Array], Any]:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import DoubleTensorType

    is_classifier = hasattr(estimator, "classes_")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = to_onnx(
            estimator,
            initial_types=[("rows", DoubleTensorType([None, width]))],
            options={"zipmap": False} if is_classifier else None,
        )
    session = _session(graph.SerializeToString(), threads)
    name = session.get_outputs()[1 if method == "predict_proba" else 0].name
    return lambda matrix: _asked(session, name, matrix, is_flat=method == "predict" and not is_classifier)


def _session(graph: bytes, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _asked(session: Any, name: str, matrix: Array, *, is_flat: bool) -> Array:
    answer = _run(session, name, matrix)
    return answer.reshape(-1) if is_flat and answer.ndim > 1 and answer.shape[1] == 1 else answer


def _run(session: Any, name: str, matrix: Array) -> Array:
    wide = np.ascontiguousarray(matrix, dtype=np.float64)
    if not np.isfinite(np.add.reduce(wide, axis=None)):
        raise NotFinite("a missing or infinite value, about which the model's own library decides")
    answer: Array = session.run([name], {"rows": wide})[0]
    return answer
