"""Bodies of requests as documentation shows them: JSON Schema and examples, made from signature and input example."""

from collections.abc import Sequence
from typing import Any

from mooring.modelserver.protocols.fitting import COLUMN_DATATYPES
from mooring.modelserver.schema import Field, JsonSchema, Signature

OWN_EXAMPLE = "The model's own input example"
_ROWS_SHOWN = 5


def row_schema(signature: Signature) -> JsonSchema:
    """One row as an object."""
    fields = _named(signature)
    return {
        "type": "object",
        "required": [name for name, field in fields if field.required],
        "properties": {name: field.json_schema for name, field in fields},
    }


def invocation_schema(signature: Signature) -> JsonSchema:
    """The JSON bodies that `/invocations` takes for this model."""
    if signature.is_tensor:
        forms = [_wrapped("inputs", _tensors(signature), signature)]
        forms.append(_wrapped("instances", {"type": "array"}, signature))
        return {"oneOf": forms}
    rows: JsonSchema = {"type": "array", "items": {"$ref": "#/components/schemas/Row"} if signature.inputs else {}}
    return {
        "oneOf": [
            _wrapped("dataframe_split", _split(signature), signature),
            _wrapped("dataframe_records", rows, signature),
            _wrapped("inputs", {}, signature),
            _wrapped("instances", {"type": "array"}, signature),
        ]
    }


def predictions_schema(signature: Signature) -> JsonSchema:
    """What is under `predictions`: a tensor, values, or one object per row; nothing is said of what is not known."""
    outputs = signature.outputs
    if len(outputs) == 1 and outputs[0].name is None:
        field = outputs[0]
        return field.json_schema if field.dtype else {"type": "array", "items": field.json_schema}
    named = {field.name: field.json_schema for field in outputs if field.name is not None}
    if not named:
        return {"type": "array", "items": {}}
    return {} if outputs[0].dtype else {"type": "array", "items": {"type": "object", "properties": named}}


def invocation_examples(example: dict[str, Any] | None) -> dict[str, Any]:
    """Named bodies; the first one is the model's own, so that "Try it out" works as it stands."""
    if example is None:
        return {}
    examples: dict[str, Any] = {OWN_EXAMPLE: example}
    split = example.get("dataframe_split")
    if isinstance(split, dict) and isinstance(split.get("columns"), list):
        records = [dict(zip(split["columns"], row, strict=False)) for row in split["data"][:_ROWS_SHOWN]]
        params = {"params": example["params"]} if "params" in example else {}
        examples["The same as records"] = {"dataframe_records": records, **params}
    return examples


def tensor_example(signature: Signature, example: dict[str, Any] | None) -> dict[str, Any] | None:
    """The own example as a request of the Open Inference Protocol, where it is simple enough for that."""
    columns = _columns(example or {}, signature)
    if columns is None:
        return None
    fields = dict(_named(signature))
    inputs = [_tensor(name, fields[name], values) for name, values in columns.items() if name in fields]
    return {"inputs": inputs} if inputs else None


def _columns(example: dict[str, Any], signature: Signature) -> dict[str, Any] | None:
    split, inputs = example.get("dataframe_split"), example.get("inputs")
    if isinstance(split, dict) and not signature.is_tensor:
        names = split.get("columns") or [name for name, _ in _named(signature)]
        return {str(name): [row[at] for row in split["data"]] for at, name in enumerate(names)}
    if not signature.is_tensor:
        return None
    if isinstance(inputs, dict):
        return inputs
    return {_named(signature)[0][0]: inputs} if isinstance(inputs, list) else None


def _tensor(name: str, field: Field, values: Sequence[Any]) -> dict[str, Any]:
    if field.dtype is None:
        datatype = COLUMN_DATATYPES.get(field.type, "BYTES")
        return {"name": name, "shape": [len(values), 1], "datatype": datatype, "data": list(values)}
    return {"name": name, "shape": _shape(values), "datatype": _datatype(field.dtype), "data": values}


def _datatype(dtype: str) -> str:
    known = {"float64": "FP64", "float32": "FP32", "float16": "FP32", "bool": "BOOL"}
    return known.get(dtype) or (dtype.upper() if "int" in dtype else "BYTES")


def _shape(values: Any) -> list[int]:
    shape = []
    while isinstance(values, list):
        shape.append(len(values))
        values = values[0] if values else None
    return shape


def _named(signature: Signature) -> list[tuple[str, Field]]:
    return [(field.name or f"input-{at}", field) for at, field in enumerate(signature.inputs or ())]


def _tensors(signature: Signature) -> JsonSchema:
    fields = _named(signature)
    if not signature.is_named:
        return fields[0][1].json_schema
    return {
        "type": "object",
        "required": [name for name, field in fields if field.required],
        "properties": {name: field.json_schema for name, field in fields},
    }


def _split(signature: Signature) -> JsonSchema:
    fields = _named(signature)
    columns: JsonSchema = {"type": "array", "items": {"type": "string"}}
    row: JsonSchema = {"type": "array"}
    if signature.is_named:
        columns["default"] = [name for name, _ in fields]
        row["description"] = ", ".join(f"{name}: {field.type}" for name, field in fields)
    return {
        "type": "object",
        "required": ["columns", "data"] if signature.is_named else ["data"],
        "properties": {"columns": columns, "data": {"type": "array", "items": row}, "index": {"type": "array"}},
    }


def _wrapped(key: str, schema: JsonSchema, signature: Signature) -> JsonSchema:
    properties = {key: schema}
    if signature.params:
        properties["params"] = {"type": "object", "properties": {p.name: p.json_schema for p in signature.params}}
    return {"title": key, "type": "object", "required": [key], "properties": properties}
