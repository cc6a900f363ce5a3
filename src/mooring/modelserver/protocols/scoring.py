"""MLflow's scoring protocol, `POST /invocations`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mooring.modelserver.columnar.encoder import as_mlflow_writes, predictions_json
from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.inference import Columnar, Form, Inference
from mooring.modelserver.protocols import parquet
from mooring.modelserver.protocols.content_type import media_type
from mooring.modelserver.protocols.json_body import parse_object
from mooring.modelserver.protocols.plain_rows import are_plain_rows, from_plain_rows
from mooring.modelserver.rows import Rows
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
            return as_mlflow_writes(prediction)
        return predictions_json(prediction)


@dataclass(frozen=True, slots=True)
class ScoringReader:
    """Reads bodies of one media type."""

    kind: str
    signature: Signature
    rows: Callable[[bytes], Rows | None] | None = None
    """The decoder that was compiled from the signature, for JSON."""

    def columnar(self, body: bytes) -> Columnar | None:
        """The body's rows; None for whatever the general way has to decide."""
        rows = self.rows(body) if self.rows else None
        return None if rows is None else Columnar(rows, predictions_json)

    def call(self, body: bytes) -> ScoringCall:
        """Raises InvalidInput."""
        return decode(body, self.kind, self.signature)


def decode(body: bytes, content_type: str | None, signature: Signature) -> ScoringCall:
    """Raises InvalidInput and UnsupportedMediaType."""
    match media_type(content_type, (JSON, CSV, PARQUET)):
        case "text/csv":
            return ScoringCall(Inference(Form.CSV, _text(body)))
        case "application/json":
            return ScoringCall(from_json(parse_object(body), signature))
        case _:
            parquet.check(body)
            return ScoringCall(Inference(Form.PARQUET, body))


def from_json(body: dict[str, Any], signature: Signature) -> Inference:
    """A parsed body. Raises InvalidInput."""
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
