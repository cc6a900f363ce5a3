"""The OpenAPI 3.1 document of one model: its own types, its own example, its own errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from mooring.modelserver.bodies import predictions_schema, row_schema
from mooring.modelserver.openapi_paths import all_paths
from mooring.modelserver.schema import JsonSchema, Signature

if TYPE_CHECKING:
    from mooring.modelserver.by_key.fetching import RunFacts

Document = dict[str, Any]

_FACTS_SHOWN = 50
_TAGS = (
    ("Predictions", "MLflow's scoring protocol"),
    ("By key", "Predictions for what the model's own run holds"),
    ("Open Inference Protocol", "Version 2, REST"),
    ("KServe v1", "What TensorFlow Serving and KServe speak"),
    ("State", "Probes and metrics"),
)


@dataclass(frozen=True)
class KeyedData:
    """What the model can be asked by key."""

    index: tuple[str, ...]
    """Columns of the key."""
    example: Mapping[str, str]
    categories: Mapping[str, tuple[Any, ...]]
    """The values that a column may have."""


@dataclass(frozen=True)
class Model:
    """What the document is made from. `example` is a body for `/invocations`."""

    name: str
    version: str | None
    signature: Signature
    example: dict[str, Any] | None = None
    is_example_made: bool = False
    """The example was not logged with the model: its values mean nothing."""
    keyed: KeyedData | None = None
    run: "RunFacts | None" = None
    needs_token: bool = False


def openapi_document(model: Model) -> Document:
    """Server URLs are relative to the document's own, so it is right under every prefix."""
    paths = all_paths(model)
    used = {tag for item in paths.values() for operation in item.values() for tag in operation["tags"]}
    return {
        "openapi": "3.1.0",
        "info": {"title": model.name, "version": model.version or "0", "description": _description(model)},
        "servers": [{"url": ".."}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS if name in used],
        "paths": paths,
        **({"security": [{"token": []}]} if model.needs_token else {}),
        "components": {"schemas": _schemas(model), **(_TOKEN if model.needs_token else {})},
    }


_TOKEN: Document = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}


def _description(model: Model) -> str:
    return "\n\n".join(part for part in (_inputs(model.signature), _run(model.run)) if part)


def _inputs(signature: Signature) -> str:
    if signature.inputs is None:
        return "This model was logged without a signature: what it expects is not known, and not checked."
    lines = ["| input | type | |", "|---|---|---|"]
    for field in signature.inputs:
        kind = f"{field.dtype} {list(field.shape)}" if field.dtype else field.type
        lines.append(
            f"| {_cell(field.name or '(unnamed)')} | {kind} | {'required' if field.required else 'optional'} |"
        )
    return "\n".join(lines)


def _run(run: "RunFacts | None") -> str:
    """Parameters, metrics and tags of the run that made the model."""
    if run is None:
        return ""
    parts = [f"Made by run {_cell(run.run_id)}."]
    for title, facts in (("parameter", run.params), ("metric", run.metrics), ("tag", run.tags)):
        if facts:
            rows = [
                f"| {_cell(name)} | {_cell(str(value)[:200])} |" for name, value in islice(facts.items(), _FACTS_SHOWN)
            ]
            parts.append("\n".join((f"| {title} | |", "|---|---|", *rows)))
    return "\n\n".join(parts)


def _cell(text: str) -> str:
    # A name must neither end the table's cell nor become markup of its own.
    return "`" + text.replace("|", "¦").replace("`", "'").replace("\n", " ") + "`"


def _schemas(model: Model) -> Document:
    signature = model.signature
    tensors = {"type": "array", "items": {"$ref": "#/components/schemas/Tensor"}}
    return {
        **({"Row": _row(model)} if signature.inputs and not signature.is_tensor else {}),
        "Predictions": _with({"predictions": predictions_schema(signature)}, "predictions"),
        "Error": _texts("error_code", "message"),
        "OipError": _texts("error"),
        "Tensor": _tensor(),
        "InferenceRequest": _with(
            {"id": {"type": "string"}, "parameters": {"type": "object"}, "inputs": tensors}, "inputs"
        ),
        "InferenceResponse": _with({"model_name": {"type": "string"}, "id": {"type": "string"}, "outputs": tensors}),
    }


def _row(model: Model) -> JsonSchema:
    """A row of the signature; the values of a column are listed where the contract of the features does."""
    schema = row_schema(model.signature)
    for name, values in (model.keyed.categories if model.keyed else {}).items():
        if name in schema["properties"]:
            schema["properties"][name] = {**schema["properties"][name], "enum": list(values)}
    return schema


def _tensor() -> JsonSchema:
    shape = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    properties: JsonSchema = {
        "name": {"type": "string"}, "shape": shape, "datatype": {"type": "string", "enum": list(_DATATYPES)},
        "data": {"type": "array", "items": {}}, "parameters": {"type": "object"},
    }  # fmt: skip
    return _with(properties, "name", "shape", "datatype")


_DATATYPES = (
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES",
)  # fmt: skip


def _with(properties: JsonSchema, *required: str) -> JsonSchema:
    return {"type": "object", **({"required": list(required)} if required else {}), "properties": properties}


def _texts(*names: str) -> JsonSchema:
    return _with({name: {"type": "string"} for name in names}, *names)
