"""One question by key: from the caller's JSON to model input, and from predictions to the answer."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from mlflow.utils.proto_json_utils import NumpyEncoder, _get_jsonable_obj

from mooring.modelserver.by_key.records import Records
from mooring.modelserver.errors import InvalidInput, NotFound
from mooring.modelserver.inference import Form, Inference
from mooring.modelserver.protocols.json_body import parse_object
from mooring.modelserver.schema import Signature

VALUES, LARGEST = "predicted_values", "predicted_max_value"


@dataclass(frozen=True, slots=True)
class Question:
    """One call of `model/predict`."""

    inference: Inference
    asked: dict[str, Any]
    """The key, as the caller wrote it."""

    def encode(self, prediction: Any) -> bytes:
        """The key, all predictions, and the largest: a class where there are scores, else a value."""
        values = _get_jsonable_obj(prediction, pandas_orient="records")
        answer = {LARGEST: largest(prediction), **self.asked, VALUES: values}
        return json.dumps(answer, cls=NumpyEncoder).encode()


def read_question(body: bytes, records: Records, signature: Signature) -> Question:
    """Raises InvalidInput for a body without the key, NotFound for a key that has no features."""
    asked = parse_object(body)
    index = records.contract.index
    key = tuple(_text(asked, name) for name in index)
    rows = records.rows(key)
    if rows is None:
        shown = ", ".join(f"{name} {value!r:.80}" for name, value in zip(index, key, strict=True))
        raise NotFound(f"there are no features for {shown}: see model/dataset", for_log="no features for the key")
    return Question(model_input(rows, signature), {name: asked[name] for name in index})


def example(records: Records) -> dict[str, str]:
    """A body that can be answered."""
    return dict(zip(records.contract.index, records.first_key(), strict=True))


def model_input(rows: pd.DataFrame, signature: Signature) -> Inference:
    """The rows of one key as the signature wants them: a table, a matrix, or one sequence with its steps."""
    fields = signature.inputs or ()
    if not signature.is_tensor:
        named = signature.is_named or signature.inputs is None
        table = rows.astype(object).where(rows.notna(), None)
        columns = {"columns": [str(name) for name in rows.columns]} if named else {}
        return Inference(Form.SPLIT, {**columns, "data": table.to_numpy().tolist()})
    values: Any = rows.to_numpy().tolist()
    if len(fields[0].shape) > 2:
        values = [values]
    return Inference(Form.INPUTS, {fields[0].name: values} if signature.is_named else values)


def largest(prediction: Any) -> int | float | None:
    """The class with the largest score where there are several per row, else the largest value; None for texts."""
    array = np.asarray(prediction)
    if array.size == 0 or array.dtype.kind not in "biuf":
        return None
    if array.ndim > 1 and array.shape[-1] > 1:
        return int(array.argmax() % array.shape[-1])
    value: int | float = (array + 0).max().item()
    return value


def _text(asked: dict[str, Any], name: str) -> str:
    value = asked.get(name)
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    got = "it is missing" if name not in asked else f"got {json.dumps(value)[:60]}"
    raise InvalidInput(
        f"the body must have the key '{name}', a string or a whole number: {got}",
        for_log=f"the key '{name}' is missing or of a wrong type",
    )
