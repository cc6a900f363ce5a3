"""Any model through pyfunc, without its checks: typed rows have passed them.

Also without its looks at signatures of Python functions, which take as long as a small model and always find the same.
"""

import inspect
from collections.abc import Callable
from copy import copy
from typing import Any

from mlflow.models import ModelSignature
from mlflow.models.signature import _is_context_in_predict_function_signature
from mlflow.pyfunc import PyFuncModel
from mlflow.pyfunc.context import Context, set_prediction_context
from mlflow.pyfunc.model import _PythonModelPyfuncWrapper

from mooring.modelserver.flavours.input import Assemble
from mooring.modelserver.flavours.predictor import Candidate

_Predict = Callable[[Any], Any]
"""From what MLflow's checks would hand to the model."""
_SCHEMAS = "dependencies_schemas"
"""In the metadata of models that are traced with what they retrieve from."""


def unchecked(model: PyFuncModel, assemble: Assemble) -> Candidate:
    """The same model, asked as pyfunc asks it after its checks."""
    is_plain = model.metadata.get_params_schema() is None and _SCHEMAS not in (model.metadata.metadata or {})
    predict = _past_pyfunc(model) if is_plain else _through_pyfunc(model)
    return Candidate("pyfunc", lambda rows: predict(assemble(rows)))


def _through_pyfunc(model: PyFuncModel) -> _Predict:
    """Under metadata without an input schema, which is half a millisecond of work per call."""
    metadata = copy(model.metadata)
    params = metadata.get_params_schema()
    metadata.signature = ModelSignature(params=params) if params else None
    free = PyFuncModel(metadata, model._model_impl, _method(model), model_id=model.model_id)
    free.input_example = model.input_example
    # Params are the defaults. A new dict for each call, as a model may write into it.
    return lambda data: free.predict(data, {} if params else None)


def _past_pyfunc(model: PyFuncModel) -> _Predict:
    impl, method, model_id = model._model_impl, _method(model), model.model_id
    is_python = type(impl) is _PythonModelPyfuncWrapper and method == "predict"
    ask = _python_model(impl) if is_python else _without_params(getattr(impl, method))

    def predict(data: Any) -> Any:
        with set_prediction_context(Context(model_id=model_id)):
            return ask(data)

    return predict


def _without_params(predict: Callable[..., Any]) -> _Predict:
    known = inspect.signature(predict).parameters.get("params")
    takes_params = known is not None and known.kind is not inspect.Parameter.VAR_KEYWORD
    return (lambda data: predict(data, params=None)) if takes_params else predict


def _python_model(impl: Any) -> _Predict:
    """As MLflow's wrapper calls `predict(context, model_input, params)`, of which the first and last may be missing."""
    names = inspect.signature(impl.python_model.predict).parameters
    given: dict[str, Any] = {"params": None} if "params" in names else {}
    before = (impl.context,) if _is_context_in_predict_function_signature(parameters=names) else ()
    return lambda data: impl.python_model.predict(*before, impl._convert_input(data), **given)


def _method(model: PyFuncModel) -> str:
    return str(model.metadata.flavors["python_function"].get("predict_fn", "predict"))
