"""A model's signature in our own words: typed fields, and the JSON Schema of each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

JsonSchema = dict[str, Any]

_INT32, _INT64 = 2**31, 2**63
_SCALARS: Mapping[str, JsonSchema] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "format": "int32", "minimum": -_INT32, "maximum": _INT32 - 1},
    "long": {"type": "integer", "format": "int64", "minimum": -_INT64, "maximum": _INT64 - 1},
    "float": {"type": "number", "format": "float"},
    "double": {"type": "number", "format": "double"},
    "string": {"type": "string"},
    "binary": {"type": "string", "contentEncoding": "base64"},
    "datetime": {"type": "string", "format": "date-time"},
}
_TENSOR_ELEMENTS = {"bool": "boolean", "int": "integer", "uint": "integer", "float": "number", "str": "string"}


@dataclass(frozen=True)
class Field:
    """One column, or one tensor when `dtype` is set (`shape` has -1 for a variable dimension)."""

    name: str | None
    type: str
    """MLflow's name of the type (`double`, `long`, `array`, …), `tensor` for a tensor."""
    required: bool
    json_schema: JsonSchema
    dtype: str | None = None
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class Param:
    """A parameter that a caller may give beside the data."""

    name: str
    default: object
    json_schema: JsonSchema


@dataclass(frozen=True)
class Signature:
    """`inputs` is None when nothing is known about them, `outputs` and `params` are then usually empty."""

    inputs: tuple[Field, ...] | None = None
    outputs: tuple[Field, ...] = ()
    params: tuple[Param, ...] = ()

    @property
    def is_tensor(self) -> bool:
        return bool(self.inputs) and self.inputs is not None and self.inputs[0].dtype is not None

    @property
    def is_named(self) -> bool:
        return bool(self.inputs) and self.inputs is not None and self.inputs[0].name is not None

    @staticmethod
    def parse(document: Mapping[str, str | None] | None) -> "Signature":
        """From the `signature` of an MLmodel file, whose parts are JSON texts."""
        parts = {part: json.loads(text) for part, text in (document or {}).items() if text}
        inputs = parts.get("inputs")
        return Signature(
            inputs=tuple(map(_field, inputs)) if inputs else None,
            outputs=tuple(map(_field, parts.get("outputs") or ())),
            params=tuple(map(_param, parts.get("params") or ())),
        )


def _field(spec: Mapping[str, Any]) -> Field:
    required = bool(spec.get("required", True))
    if spec["type"] == "tensor":
        dtype, shape = str(spec["tensor-spec"]["dtype"]), tuple(spec["tensor-spec"]["shape"])
        return Field(spec.get("name"), "tensor", required, tensor_schema(dtype, shape), dtype, shape)
    return Field(spec.get("name"), str(spec["type"]), required, _nullable(_typed(spec), required))


def _typed(spec: Mapping[str, Any]) -> JsonSchema:
    match spec["type"]:
        case "array":
            return {"type": "array", "items": _typed(spec["items"])}
        case "object":
            return _object(spec["properties"])
        case "map":
            return {"type": "object", "additionalProperties": _typed(spec["values"])}
        case kind:
            return dict(_SCALARS.get(kind, {}))


def _object(properties: Mapping[str, Mapping[str, Any]]) -> JsonSchema:
    required = [name for name, spec in properties.items() if spec.get("required", True)]
    typed = {name: _nullable(_typed(spec), name in required) for name, spec in properties.items()}
    return {"type": "object", "properties": typed, "required": required}


def _nullable(schema: JsonSchema, required: bool) -> JsonSchema:
    if required or "type" not in schema:
        return schema
    return {**schema, "type": [schema["type"], "null"]}


def _param(spec: Mapping[str, Any]) -> Param:
    schema = _typed(spec)
    if spec.get("shape"):
        schema = {"type": "array", "items": schema}
    return Param(spec["name"], spec.get("default"), {**schema, "default": spec.get("default")})


def tensor_schema(dtype: str, shape: Sequence[int]) -> JsonSchema:
    """Nested arrays, one level per dimension, with the length where the signature fixes it."""
    element = _TENSOR_ELEMENTS.get(dtype.rstrip("0123456789"))
    schema: JsonSchema = {"type": element} if element else {}
    for length in reversed(shape):
        schema = {"type": "array", "items": schema}
        if length >= 0:
            schema |= {"minItems": length, "maxItems": length}
    return schema
