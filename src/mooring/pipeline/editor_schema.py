"""The file's JSON Schema, for editors: without stages all of it, with stages each of them as much as it changes."""

import copy
from typing import Any

from mooring.pipeline.schema import Wanted

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def editor_schema() -> dict[str, Any]:
    """Made from the models that check the file."""
    whole = Wanted.model_json_schema(by_alias=True)
    definitions = whole.pop("$defs")
    partial = {f"Partial{name}": _partial(each) for name, each in definitions.items()}
    some = _partial(whole)
    some["properties"].pop("$schema")
    stages = {"type": "object", "minProperties": 1, "additionalProperties": {"$ref": "#/$defs/Stage"}}
    shared = copy.deepcopy(some)
    shared["properties"] |= {"stages": stages, "$schema": {"type": "string"}}
    shared["required"] = ["stages"]
    return {
        "$schema": _DIALECT,
        "title": "A project for mooring plan and mooring deploy",
        "if": {"required": ["stages"]},
        "then": {"$ref": "#/$defs/Staged"},
        "else": {"$ref": "#/$defs/Whole"},
        "$defs": {**definitions, **partial, "Stage": some, "Staged": shared, "Whole": whole},
    }


def _partial(schema: Any) -> Any:
    """Nothing is needed: the rest is what the stages share."""
    match schema:
        case dict():
            kept = {key: _partial(value) for key, value in schema.items() if key != "required"}
            if isinstance(reference := kept.get("$ref"), str):
                kept["$ref"] = reference.replace("#/$defs/", "#/$defs/Partial")
            return kept
        case list():
            return [_partial(each) for each in schema]
    return schema
