"""The OpenAPI 3.1 document of one model: its own types, its own example, its own errors."""

from dataclasses import dataclass
from typing import Any

from mooring.modelserver.bodies import (
    invocation_examples,
    invocation_schema,
    predictions_schema,
    row_schema,
    tensor_example,
)
from mooring.modelserver.schema import JsonSchema, Signature

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


@dataclass(frozen=True)
class Model:
    """What the document is made from. `example` is a body for `/invocations`."""

    name: str
    version: str | None
    signature: Signature
    example: dict[str, Any] | None


def openapi_document(model: Model) -> Document:
    """Server URLs are relative to the document's own, so it is right under every prefix."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": model.name,
            "version": model.version or "0",
            "description": _description(model),
        },
        "servers": [{"url": ".."}],
        "tags": [
            {"name": "Predictions", "description": "MLflow's scoring protocol"},
            {"name": "Open Inference Protocol", "description": "Version 2, REST"},
            {"name": "State"},
        ],
        "paths": {**_scoring_paths(model), **_oip_paths(model), **_state_paths()},
        "components": {"schemas": _schemas(model.signature)},
    }


def _description(model: Model) -> str:
    inputs = model.signature.inputs
    if inputs is None:
        return "This model was logged without a signature: what it expects is not known, and not checked."
    lines = ["| input | type | |", "|---|---|---|"]
    for field in inputs:
        kind = f"{field.dtype} {list(field.shape)}" if field.dtype else field.type
        lines.append(
            f"| {_cell(field.name or '(unnamed)')} | {kind} | {'required' if field.required else 'optional'} |"
        )
    return "\n".join(lines)


def _cell(text: str) -> str:
    # A name must neither end the table's cell nor become markup of its own.
    return "`" + text.replace("|", "¦").replace("`", "'").replace("\n", " ") + "`"


def _scoring_paths(model: Model) -> Document:
    examples = invocation_examples(model.example)
    content: Document = {"schema": invocation_schema(model.signature)}
    if examples:
        content["examples"] = {name: {"value": value} for name, value in examples.items()}
    body = {"application/json": content}
    if not model.signature.is_tensor:
        body["text/csv"] = {"schema": {"type": "string", "description": "The first line has the column names"}}
    operation = {
        "tags": ["Predictions"],
        "operationId": "predict",
        "summary": f"Predict with {model.name}",
        "requestBody": {"required": True, "content": body},
        "responses": {
            "200": _answer("The model's predictions", {"$ref": "#/components/schemas/Predictions"}),
            **{status: _answer(text, _ERROR) for status, text in _REFUSALS.items()},
        },
    }
    return {"/invocations": {"post": operation}}


def _oip_paths(model: Model) -> Document:
    content: Document = {"schema": {"$ref": "#/components/schemas/InferenceRequest"}}
    if example := tensor_example(model.signature, model.example):
        content["examples"] = {"The model's own input example": {"value": example}}
    infer = {
        "tags": ["Open Inference Protocol"],
        "operationId": "infer",
        "summary": f"Infer with {model.name}",
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {
            "200": _answer("Output tensors", {"$ref": "#/components/schemas/InferenceResponse"}),
            **{status: _answer(text, _OIP_ERROR) for status, text in _REFUSALS.items()},
        },
    }
    path = f"/v2/models/{model.name}"
    tag = "Open Inference Protocol"
    return {
        f"{path}/infer": {"post": infer},
        path: {"get": _get(tag, "modelMetadata", "Names, types and shapes of inputs and outputs")},
        f"{path}/ready": {"get": _get(tag, "modelReady", "Whether the model is ready")},
        "/v2": {"get": _get(tag, "serverMetadata", "Name and version of the server")},
    }


def _state_paths() -> Document:
    return {
        "/v2/health/live": {"get": _get("State", "live", "Whether the process answers")},
        "/v2/health/ready": {"get": _get("State", "ready", "Whether the model is loaded and has answered once")},
        "/ping": {"get": _get("State", "ping", "The same, as MLflow and SageMaker ask it")},
        "/version": {"get": _get("State", "version", "The version of MLflow")},
    }


def _get(tag: str, operation: str, summary: str) -> Document:
    answers = {"200": {"description": "Yes, or what was asked for"}, "503": {"description": "Not yet"}}
    return {"tags": [tag], "operationId": operation, "summary": summary, "responses": answers}


def _answer(description: str, schema: JsonSchema) -> Document:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _schemas(signature: Signature) -> Document:
    tensor = {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": {"type": "string"},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            "datatype": {"type": "string"},
            "data": {"type": "array", "items": {}},
        },
    }
    tensors = {"type": "array", "items": {"$ref": "#/components/schemas/Tensor"}}
    return {
        **({"Row": row_schema(signature)} if signature.inputs and not signature.is_tensor else {}),
        "Predictions": {
            "type": "object",
            "required": ["predictions"],
            "properties": {"predictions": predictions_schema(signature)},
        },
        "Error": _object("error_code", "message"),
        "OipError": _object("error"),
        "Tensor": tensor,
        "InferenceRequest": {
            "type": "object",
            "required": ["inputs"],
            "properties": {"id": {"type": "string"}, "parameters": {"type": "object"}, "inputs": tensors},
        },
        "InferenceResponse": {
            "type": "object",
            "properties": {"model_name": {"type": "string"}, "id": {"type": "string"}, "outputs": tensors},
        },
    }


def _object(*texts: str) -> JsonSchema:
    return {"type": "object", "required": list(texts), "properties": {name: {"type": "string"} for name in texts}}
