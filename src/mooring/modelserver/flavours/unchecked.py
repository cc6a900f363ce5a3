"""Any model through pyfunc, without its checks: typed rows have passed them."""

from copy import copy
from typing import Any

from mlflow.models import ModelSignature
from mlflow.pyfunc import PyFuncModel

from mooring.modelserver.flavours.input import Assemble
from mooring.modelserver.flavours.predictor import Candidate
from mooring.modelserver.rows import Rows


def unchecked(model: PyFuncModel, assemble: Assemble) -> Candidate:
    """The same model under metadata without an input schema, which is half a millisecond of work per call."""
    metadata = copy(model.metadata)
    params = metadata.get_params_schema()
    metadata.signature = ModelSignature(params=params) if params else None
    conf = model.metadata.flavors["python_function"]
    free = PyFuncModel(metadata, model._model_impl, conf.get("predict_fn", "predict"), model_id=model.model_id)
    free.input_example = model.input_example
    return Candidate("pyfunc", lambda rows: _predict(free, assemble, rows))


def _predict(model: PyFuncModel, assemble: Assemble, rows: Rows) -> Any:
    # Params are the defaults. A new dict for each call, as a model may write into it.
    return model.predict(assemble(rows), {} if model.metadata.get_params_schema() else None)
