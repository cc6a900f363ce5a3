"""Which predictor a model is served by."""

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from mooring.modelserver import rules
from mooring.modelserver.errors import describe
from mooring.modelserver.flavours import catboost, keras, lightgbm, onnx, pytorch, sklearn, xgboost
from mooring.modelserver.flavours.compiled import PROBE_ROWS, compiled, objection, with_doubts
from mooring.modelserver.flavours.input import assembler, rows_of
from mooring.modelserver.flavours.predictor import Candidate, Chosen
from mooring.modelserver.flavours.probes import ProbeMaker
from mooring.modelserver.flavours.proof import Answer, answers, dependence, disagreement
from mooring.modelserver.flavours.unchecked import unchecked
from mooring.modelserver.inference import Form, Inference
from mooring.modelserver.rows import Layout, Rows
from mooring.modelserver.threads import pin, thread_count

if TYPE_CHECKING:
    from mooring.modelserver.model import LoadedModel

_logger = logging.getLogger("mooring.modelserver")

_FLAG = "mooring.rows_independent"
"""In the metadata of a model whose author knows that each row's answer depends on that row alone."""

Candidates = Callable[[Any, str, Layout], list[Candidate]]

_LIBRARIES: dict[str, Candidates | None] = {
    "mlflow.sklearn": sklearn.candidates,
    "mlflow.xgboost": xgboost.candidates,
    "mlflow.lightgbm": lightgbm.candidates,
    "mlflow.catboost": catboost.candidates,
    "mlflow.onnx": onnx.candidates,
    "mlflow.pytorch": pytorch.candidates,
    "mlflow.keras": keras.candidates,
    "mlflow.tensorflow": keras.candidates,
    "mlflow.statsmodels": None,
}
"""By pyfunc's loader. Predictions of these are functions of the rows: trying them has no effects."""


def predictor_for(
    model: "LoadedModel", layout: Layout | None, batching: str = "auto", *, compile_it: bool = False
) -> Chosen | None:
    """The quickest way to ask the model that gives pyfunc's answers; None when it cannot be asked with typed rows.

    `batching`: `auto` for models known to treat each row by itself, `on` also for others, `off` for none. With
    `compile_it`, a compiled model is taken where its answers equal those of this way. Blocks for some seconds at most.
    """
    try:
        return _predictor_for(model, layout, batching, compile_it)
    except Exception as error:  # noqa: BLE001 - libraries raise what they like, and MLflow's way serves without them
        _logger.warning("no quicker way than MLflow's is known to this model: %s", describe(error))
        return None


def _predictor_for(model: "LoadedModel", layout: Layout | None, batching: str, compile_it: bool) -> Chosen | None:
    metadata = model.pyfunc.metadata
    if layout is None or metadata._is_signature_from_type_hint() or metadata._is_type_hint_from_example():
        return None
    through_pyfunc = unchecked(model.pyfunc, assembler(layout))
    is_flagged = batching == "on" or str((metadata.metadata or {}).get(_FLAG)).lower() == "true"
    loader = model.pyfunc.loader_module
    if loader not in _LIBRARIES and not is_flagged:
        # Somebody's own code may have effects: it is not called with rows that nobody sent.
        return Chosen(through_pyfunc.name, through_pyfunc.ask, are_rows_independent=False)
    pin(model.raw())
    known = _known_answers(model, layout)
    if not any(answer.error is None for answer in known):
        _logger.info("the model refuses all that can be made up from its signature, so nothing is known about it")
        return Chosen(through_pyfunc.name, through_pyfunc.ask, is_flagged and batching != "off")
    chosen = _first_equal([*_candidates(model, layout), through_pyfunc], known)
    if chosen is None:
        return None
    if compile_it:
        chosen = _compiled(model, layout, chosen) or chosen
    return Chosen(chosen.name, chosen.ask, batching != "off" and _are_rows_independent(chosen, known))


def _known_answers(model: "LoadedModel", layout: Layout) -> list[Answer]:
    """Pyfunc's, with its checks and its way to build a frame."""
    assemble = assembler(layout)
    return answers(lambda rows: model.predict(assemble(rows), None), _probe_maker(model, layout).probes())


def _probe_maker(model: "LoadedModel", layout: Layout) -> ProbeMaker:
    shapes = tuple(field.shape[1:] for field in model.signature.inputs or ())
    return ProbeMaker(layout, shapes, _example(model, layout))


def _compiled(model: "LoadedModel", layout: Layout, chosen: Candidate) -> Candidate | None:
    if model.pyfunc.loader_module != "mlflow.sklearn":
        _logger.warning("not compiled: only scikit-learn models are")
        return None
    candidate = compiled(model.raw(), _method(model), layout, thread_count())
    if candidate is None:
        return None
    reason = objection(candidate, chosen, list(_probe_maker(model, layout).many(PROBE_ROWS)))
    if reason:
        _logger.warning("not served compiled: %s", reason)
        return None
    return with_doubts(candidate, chosen)


def _example(model: "LoadedModel", layout: Layout) -> Rows | None:
    """The rows of the model's own example; None when there are none in this layout."""
    if model.example is None or model.input_schema is None:
        return None
    for form in (Form.SPLIT, Form.RECORDS, Form.INPUTS, Form.INSTANCES):
        if form.value in model.example:
            return _rows_of(model, Inference(form, model.example[form.value]), layout)
    return None


def _rows_of(model: "LoadedModel", inference: Inference, layout: Layout) -> Rows | None:
    try:
        return rows_of(rules.enforce(model.convert(inference), model.input_schema), layout)
    except Exception as error:  # noqa: BLE001 - MLflow, pandas and NumPy; what is wrong is said when it is exercised
        _logger.debug("the model's example is no use: %s", describe(error))
        return None


def _candidates(model: "LoadedModel", layout: Layout) -> list[Candidate]:
    make, raw = _LIBRARIES.get(model.pyfunc.loader_module), model.raw()
    return make(raw, _method(model), layout) if make and raw is not None else []


def _method(model: "LoadedModel") -> str:
    return str(model.pyfunc.metadata.flavors["python_function"].get("predict_fn", "predict"))


def _first_equal(candidates: Iterable[Candidate], known: list[Answer]) -> Candidate | None:
    for candidate in candidates:
        reason = disagreement(candidate.ask, known)
        if reason is None:
            return candidate
        _logger.info("predictions do not go by way of %s: %s", candidate.name, reason)
    return None


def _are_rows_independent(chosen: Candidate, known: list[Answer]) -> bool:
    reason = dependence(chosen.ask, known)
    if reason:
        _logger.info("requests are predicted one by one: %s", reason)
    return reason is None
