"""The operations of the OpenAPI document, protocol by protocol."""

from typing import TYPE_CHECKING, Any

from mooring.modelserver.bodies import (
    csv_example,
    invocation_examples,
    invocation_schema,
    label,
    rows_example,
    tensor_example,
)
from mooring.modelserver.schema import JsonSchema

if TYPE_CHECKING:
    from mooring.modelserver.openapi import KeyedData, Model

Document = dict[str, Any]

_ERROR = {"$ref": "#/components/schemas/Error"}
_OIP_ERROR = {"$ref": "#/components/schemas/OipError"}
_REFUSALS = {
    "400": "The input does not fit the model; the message names the field, the row and the expected type",
    "413": "The body is too large",
    "415": "The content type is not supported",
    "500": "The model failed on input that fits its signature",
    "503": "Too many requests wait for the model: try again later",
    "504": "The model did not answer in time",
}
_SHOWN_REFUSAL = {
    "error_code": "INVALID_PARAMETER_VALUE",
    "message": "column 'age', row 0: expected long, got the string \"x\"",
}
_BINARY: JsonSchema = {"type": "string", "format": "binary"}


def all_paths(model: "Model") -> Document:
    """Path → method → operation, of everything that a server may have."""
    keyed = _key_paths(model, model.keyed) if model.keyed else {}
    paths = {**_scoring_paths(model), **keyed, **_oip_paths(model), **_kserve_paths(model), **_state_paths()}
    if model.needs_token:
        for item in paths.values():
            for operation in item.values():
                operation["responses"]["401"] = _answer("A token is needed, or not one of the server's", _ERROR)
    return paths


def _scoring_paths(model: "Model") -> Document:
    examples = invocation_examples(model.example, is_made=model.is_example_made)
    body: Document = {"application/json": {"schema": invocation_schema(model.signature), **_examples(examples)}}
    if not model.signature.is_tensor:
        body["text/csv"] = _csv(csv_example(model.example))
        body["application/vnd.apache.parquet"] = {"schema": _BINARY}
    body["application/x-npy"] = {"schema": _BINARY}
    predict = _operation(
        "Predictions", "predict", f"Predict with {model.name}", body,
        "The model's predictions", {"$ref": "#/components/schemas/Predictions"},
    )  # fmt: skip
    predict["responses"]["200"]["content"] |= {
        "text/csv": {"schema": {"type": "string"}},
        "application/x-npy": {"schema": _BINARY},
    }
    predict["responses"]["406"] = _answer("The answer cannot be written as `accept` asks for", _ERROR)
    return {"/invocations": {"post": predict}}


def _csv(example: str | None) -> Document:
    schema = {"type": "string", "description": "The first line has the column names"}
    return {"schema": schema, **({"example": example} if example else {})}


def _key_paths(model: "Model", keyed: "KeyedData") -> Document:
    key = {name: {"type": "string", "example": keyed.example[name]} for name in keyed.index}
    asked = {"type": "object", "required": list(keyed.index), "properties": key}
    values: JsonSchema = {
        "predicted_max_value": {"type": ["number", "null"], "description": "The class with the largest score"},
        **key,
        "predicted_values": {"description": "What the model predicts"},
    }
    predict = _operation(
        "By key", "predictByKey", f"Predict with {model.name} for one key", {"application/json": {"schema": asked}},
        "The key and its predictions", {"type": "object", "required": list(values), "properties": values},
    )  # fmt: skip
    predict["responses"]["404"] = _answer("There are no features for this key", _ERROR)
    listing = {
        "tags": ["By key"],
        "operationId": "listKeys",
        "summary": "Keys that can be asked for, and their targets",
        "parameters": [_number("limit", 1, 1000), _number("offset", 0, 0)],
        "responses": {
            "200": {
                "description": "One page; the header x-total-count has the number of all rows",
                "content": {
                    "text/csv": {"schema": {"type": "string"}},
                    "application/json": {"schema": {"type": "object", "required": ["keys", "total", "next"]}},
                },
            },
            "400": _answer("limit or offset is not a number in its range", _ERROR),
        },
    }
    return {"/api/v1/model/predict": {"post": predict}, "/api/v1/model/dataset": {"get": listing}}


def _number(name: str, minimum: int, default: int) -> Document:
    return {"name": name, "in": "query", "schema": {"type": "integer", "minimum": minimum, "default": default}}


def _oip_paths(model: "Model") -> Document:
    tensors = tensor_example(model.signature, model.example)
    examples = {label(is_made=model.is_example_made): {"value": tensors}} if tensors else {}
    content = {"schema": {"$ref": "#/components/schemas/InferenceRequest"}, **_examples(examples)}
    tag, path = "Open Inference Protocol", f"/v2/models/{model.name}"
    infer = _operation(
        tag, "infer", f"Infer with {model.name}", {"application/json": content},
        "Output tensors", {"$ref": "#/components/schemas/InferenceResponse"}, _OIP_ERROR,
    )  # fmt: skip
    return {
        f"{path}/infer": {"post": infer},
        path: {"get": _get(tag, "modelMetadata", "Names, types and shapes of inputs and outputs")},
        f"{path}/ready": {"get": _get(tag, "modelReady", "Whether the model is ready")},
        "/v2/models": {"get": _get(tag, "models", "The models of this server: one")},
        "/v2": {"get": _get(tag, "serverMetadata", "Name and version of the server")},
    }


def _kserve_paths(model: "Model") -> Document:
    rows = rows_example(model.signature, model.example)
    examples = {"The same as instances": {"value": {"instances": rows}}} if rows else {}
    schema = {"type": "object", "required": ["instances"], "properties": {"instances": {"type": "array"}}}
    tag, path = "KServe v1", f"/v1/models/{model.name}"
    predict = _operation(
        tag, "predictInstances", f"Predict with {model.name}",
        {"application/json": {"schema": schema, **_examples(examples)}},
        "The model's predictions", {"$ref": "#/components/schemas/Predictions"}, _OIP_ERROR,
    )  # fmt: skip
    return {
        f"{path}:predict": {"post": predict},
        path: {"get": _get(tag, "kserveReady", "Name of the model, and whether it is ready")},
        "/v1/models": {"get": _get(tag, "kserveModels", "Names of the models: this one")},
    }


def _state_paths() -> Document:
    return {
        "/v2/health/live": {"get": _get("State", "live", "Whether the process answers")},
        "/v2/health/ready": {"get": _get("State", "ready", "Whether the model is loaded and has answered once")},
        "/livez": {"get": _get("State", "livez", "As /v2/health/live")},
        "/readyz": {"get": _get("State", "readyz", "As /v2/health/ready")},
        "/ping": {"get": _get("State", "ping", "The same, as MLflow and SageMaker ask it")},
        "/metrics": {"get": _get("State", "metrics", "Counts and times, for Prometheus")},
        "/version": {"get": _get("State", "version", "The version of MLflow")},
    }


def _operation(
    tag: str, name: str, summary: str, body: Document, answer: str, schema: JsonSchema, error: JsonSchema = _ERROR
) -> Document:
    refusals = {status: _answer(text, error) for status, text in _REFUSALS.items()}
    if error is _ERROR:
        refusals["400"]["content"]["application/json"]["example"] = _SHOWN_REFUSAL
    return {
        "tags": [tag],
        "operationId": name,
        "summary": summary,
        "requestBody": {"required": True, "content": body},
        "responses": {"200": _answer(answer, schema), **refusals},
    }


def _examples(examples: Document) -> Document:
    return {"examples": examples} if examples else {}


def _get(tag: str, operation: str, summary: str) -> Document:
    answers = {"200": {"description": "Yes, or what was asked for"}, "503": {"description": "Not yet"}}
    return {"tags": [tag], "operationId": operation, "summary": summary, "responses": answers}


def _answer(description: str, schema: JsonSchema) -> Document:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
