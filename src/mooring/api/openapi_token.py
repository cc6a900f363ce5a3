"""The token endpoint in our OpenAPI document: its form and its answers are OAuth's, not the AI API's."""

from typing import Any

from pydantic.json_schema import models_json_schema

from mooring.api.schemas.tokens import KeySet, Token, TokenRefusal

_PLACE = "#/components/schemas/"
_FORM = {
    "type": "object",
    "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "client_id": {"type": "string"},
        "client_secret": {"type": "string", "format": "password"},
    },
}
_ANSWERS = {
    "200": ("A token.", Token),
    "400": ("The request is not OAuth's.", TokenRefusal),
    "401": ("Client id or secret is wrong.", TokenRefusal),
}


def describe(document: dict[str, Any]) -> None:
    """Complete the operations below `/oauth`."""
    models = [(model, "serialization") for model in (Token, TokenRefusal, KeySet)]
    _, schema = models_json_schema(models, ref_template=_PLACE + "{model}")  # type: ignore[arg-type]
    document["components"]["schemas"].update(schema["$defs"])
    token = document["paths"]["/oauth/token"]["post"]
    token["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": _FORM}}}
    for status, (description, model) in _ANSWERS.items():
        token["responses"][status] = {"description": description, "content": _content(model)}
    document["paths"]["/oauth/keys"]["get"]["responses"]["200"]["content"] = _content(KeySet)


def _content(model: type) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _PLACE + model.__name__}}}
