"""MLflow's scoring protocol, `POST /invocations`."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from mlflow.utils.proto_json_utils import NumpyEncoder, _get_jsonable_obj

from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.inference import Form, Inference
from mooring.modelserver.protocols.content_type import media_type
from mooring.modelserver.protocols.json_body import parse_object
from mooring.modelserver.protocols.plain_rows import are_plain_rows, from_plain_rows
from mooring.modelserver.schema import Signature

JSON, CSV, PARQUET = "application/json", Form.CSV.value, Form.PARQUET.value
_JSON_FORMS = (Form.SPLIT, Form.RECORDS, Form.INPUTS, Form.INSTANCES)
_CHAT_LIKE = frozenset({"messages", "prompt", "input"})
"""Keys that make a body "unified LLM input": given to the model as it is, answered without a wrapper."""


@dataclass(frozen=True, slots=True)
class ScoringCall:
    """One call of `/invocations`."""

    inference: Inference

    def encode(self, prediction: Any) -> bytes:
        """`{"predictions": …}`, number for number what MLflow's scoring server answers (NaN included)."""
        if self.inference.form is Form.PLAIN:
            return _encode(prediction)
        if _is_plain_array(prediction):
            return orjson.dumps({"predictions": prediction}, option=orjson.OPT_SERIALIZE_NUMPY)
        return b'{"predictions": ' + _encode(prediction) + b"}"


def decode(body: bytes, content_type: str | None, signature: Signature) -> ScoringCall:
    """Raises InvalidInput and UnsupportedMediaType."""
    match media_type(content_type, (JSON, CSV, PARQUET)):
        case "text/csv":
            return ScoringCall(Inference(Form.CSV, _text(body)))
        case "application/json":
            return ScoringCall(_from_json(parse_object(body), signature))
        case _:
            return ScoringCall(Inference(Form.PARQUET, body))


def _from_json(body: dict[str, Any], signature: Signature) -> Inference:
    if not _CHAT_LIKE.isdisjoint(body):
        known = {param.name for param in signature.params}
        data = {key: value for key, value in body.items() if key not in known}
        return Inference(Form.PLAIN, data, {key: body[key] for key in body if key in known})
    forms = [form for form in _JSON_FORMS if form.value in body]
    if not forms and are_plain_rows(body):
        return from_plain_rows(body, signature)
    if len(forms) != 1:
        wanted = ", ".join(form.value for form in _JSON_FORMS)
        raise InvalidInput(
            f"the body must have exactly one of the keys {wanted} (and may have params); it has: "
            + (", ".join(sorted(body))[:200] or "none")
        )
    return Inference(forms[0], body[forms[0].value], body.get("params"))


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the body is not valid UTF-8: {error.reason} at byte {error.start}") from None


def _is_plain_array(value: Any) -> bool:
    """Whether orjson writes the same numbers as Python does from `tolist()` (of float32 it would not)."""
    if not isinstance(value, np.ndarray) or value.ndim == 0 or not value.flags.c_contiguous:
        return False
    if value.dtype == np.float64:
        return bool(np.isfinite(value).all())
    return value.dtype.kind in "biu" and value.dtype.isnative


def _encode(prediction: Any) -> bytes:
    return json.dumps(_get_jsonable_obj(prediction, pandas_orient="records"), cls=NumpyEncoder).encode()
