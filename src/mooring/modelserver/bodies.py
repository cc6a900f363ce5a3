"""Bodies of requests as documentation shows them: JSON Schema and examples, made from signature and input example."""

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Any

from mooring.modelserver.protocols.fitting import COLUMN_DATATYPES
from mooring.modelserver.schema import Field, JsonSchema, Signature

_OWN_EXAMPLE = "The model's own input example"
_MADE_EXAMPLE = "Made up: of the right form, without a meaning"
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


def invocation_examples(example: dict[str, Any] | None, *, is_made: bool = False) -> dict[str, Any]:
    """Named examples; the first one is the model's own, so that "Try it out" works as it stands."""
    if example is None:
        return {}
    examples: dict[str, Any] = {label(is_made=is_made): {"value": example}}
    if records := _records(example):
        params = {"params": example["params"]} if "params" in example else {}
        examples["The same as records"] = {"value": {"dataframe_records": records, **params}}
    return examples


def label(*, is_made: bool) -> str:
    """What an example is called."""
    return _MADE_EXAMPLE if is_made else _OWN_EXAMPLE


def rows_example(signature: Signature, example: dict[str, Any] | None) -> list[Any] | None:
    """The own example as a list of rows: objects where columns have names, else lists."""
    inputs = (example or {}).get("inputs")
    if not isinstance(inputs, list) or (signature.is_tensor and signature.is_named):
        return _records(example or {})
    return inputs[:_ROWS_SHOWN]


def csv_example(example: dict[str, Any] | None) -> str | None:
    """The own example as CSV, where it is a table of plain values."""
    records = _records(example or {})
    if not records or any(isinstance(value, list | dict) for row in records for value in row.values()):
        return None
    text = StringIO()
    writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def _records(example: dict[str, Any]) -> list[dict[str, Any]] | None:
    split = example.get("dataframe_split")
    if not isinstance(split, dict) or not isinstance(split.get("columns"), list):
        return None
    return [dict(zip(split["columns"], row, strict=False)) for row in split["data"][:_ROWS_SHOWN]]


def tensor_example(signature: Signature, example: dict[str, Any] | None) -> dict[str, Any] | None:
    """The own example as a request of the Open Inference Protocol, where it is simple enough for that."""
    if signature.inputs is None:
        return _nameless((example or {}).get("inputs"))
    columns = _columns(example or {}, signature)
    if columns is None:
        return None
    fields = dict(_named(signature))
    inputs = [_tensor(name, fields[name], values) for name, values in columns.items() if name in fields]
    return {"inputs": inputs} if inputs else None


def _nameless(values: Any) -> dict[str, Any] | None:
    """A matrix of numbers, for a model of which nothing else is known."""
    if not (isinstance(values, list) and values and isinstance(values[0], list)):
        return None
    return {"inputs": [{"name": "input-0", "shape": _shape(values), "datatype": "FP64", "data": values}]}


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
