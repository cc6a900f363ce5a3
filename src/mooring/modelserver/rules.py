"""MLflow's own rules for turning a body into model input: the only place that knows its internals.

Whatever `mlflow models serve` accepts is accepted here with the same values, because the same functions decide.
Checked against MLflow 3.17.
"""

from io import BytesIO, StringIO
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models.utils import _enforce_schema
from mlflow.types.schema import Schema
from mlflow.utils.proto_json_utils import (
    cast_df_types_according_to_schema,
    dataframe_from_parsed_json,
    parse_tf_serving_input,
)

from mooring.modelserver.inference import Form, Inference


def convert(inference: Inference, schema: Schema | None) -> Any:
    """Model input as MLflow's scoring server would make it, before the signature is enforced.

    Raises MlflowException, ValueError and whatever else pandas and NumPy have to say.
    """
    data: Any = inference.data
    match inference.form:
        case Form.SPLIT | Form.RECORDS:
            orient = "split" if inference.form is Form.SPLIT else "records"
            return dataframe_from_parsed_json(data, pandas_orient=orient, schema=schema)
        case Form.INPUTS | Form.INSTANCES:
            return parse_tf_serving_input({inference.form.value: data}, schema=schema)
        case Form.CSV:
            return _read_csv(data, schema)
        case Form.PARQUET:
            return pd.read_parquet(BytesIO(data))
        case Form.ARRAYS:
            return _from_arrays(data, schema)
        case Form.PLAIN:
            return data


def enforce(data: Any, schema: Schema) -> Any:
    """What `pyfunc` does first in `predict`: order the columns, drop extra ones, check types and shapes."""
    return _enforce_schema(data, schema)


def _read_csv(text: str, schema: Schema | None) -> pd.DataFrame:
    if schema is None:
        return pd.read_csv(StringIO(text))
    types = dict(zip(schema.input_names(), schema.pandas_types(), strict=False))
    return pd.read_csv(StringIO(text), dtype=types)


def _from_arrays(arrays: dict[str, np.ndarray[Any, Any]], schema: Schema | None) -> Any:
    if schema is None:
        return next(iter(arrays.values())) if len(arrays) == 1 else _frame(arrays)
    if schema.is_tensor_spec():
        return arrays if schema.has_input_names() else next(iter(arrays.values()))
    frame = _frame(arrays)
    if not schema.has_input_names():
        frame.columns = pd.RangeIndex(len(frame.columns))
    return cast_df_types_according_to_schema(frame, schema)


def _frame(arrays: dict[str, np.ndarray[Any, Any]]) -> pd.DataFrame:
    return pd.DataFrame({name: list(a) if a.ndim > 1 else a for name, a in arrays.items()})
