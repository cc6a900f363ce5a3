"""Models that are Python code see the same arguments and the same context as through MLflow's own `predict`."""

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, ParamSchema, ParamSpec, Schema

from mooring.modelserver.columnar.layout import layout_of
from mooring.modelserver.flavours.input import assembler
from mooring.modelserver.flavours.unchecked import unchecked
from mooring.modelserver.model import LoadedModel, load
from mooring.modelserver.rows import Rows

_COLUMNS = Schema([ColSpec("double", "a"), ColSpec("double", "b")])
_MODEL = """
import mlflow
from mlflow.pyfunc.context import get_prediction_context

class Telling(mlflow.pyfunc.PythonModel):
    def predict({arguments}):
        asked = get_prediction_context()
        return [repr({{name: told(value) for name, value in dict(locals()).items() if name != "self"}})]

def told(value):
    return value.to_dict() if hasattr(value, "to_dict") else str(value).partition(" object at ")[0]

mlflow.models.set_model(Telling())
"""


def _loaded(folder: Path, arguments: str, params: ParamSchema | None, metadata: dict[str, Any] | None) -> LoadedModel:
    code = folder / "telling.py"
    code.write_text(_MODEL.format(arguments=arguments))
    mlflow.pyfunc.save_model(
        str(folder / "m"), python_model=str(code), signature=ModelSignature(_COLUMNS, params=params), metadata=metadata,
        pip_requirements=[],
    )  # fmt: skip
    return load(str(folder / "m"), folder)


@pytest.mark.parametrize(
    "arguments",
    [
        "self, context, model_input, params=None", "self, context, model_input", "self, model_input, params=None",
        "self, model_input", "self, ctx, data", "self, model_input, context",
    ],
)  # fmt: skip
def test_arguments_are_the_same(tmp_path: Path, arguments: str) -> None:
    _assert_told_the_same(_loaded(tmp_path, arguments, None, None))


def test_params_are_the_defaults(tmp_path: Path) -> None:
    params = ParamSchema([ParamSpec("factor", "double", 2.5)])
    told = _assert_told_the_same(_loaded(tmp_path, "self, context, model_input, params=None", params, None))
    assert "2.5" in told


def test_a_model_that_retrieves_is_told_from_what(tmp_path: Path) -> None:
    metadata = {"dependencies_schemas": {"retrievers": [{"name": "books"}]}}
    told = _assert_told_the_same(_loaded(tmp_path, "self, context, model_input, params=None", None, metadata))
    assert "books" in told


def _assert_told_the_same(model: LoadedModel) -> str:
    layout = layout_of(model.signature)
    assert layout is not None
    assemble, rows = assembler(layout), Rows((np.array([[1.5, 2.5]]),), 1)
    expected, told = model.predict(assemble(rows), None), unchecked(model.pyfunc, assemble).ask(rows)
    assert told == expected
    assert "Context(" in str(told)
    return str(told)
