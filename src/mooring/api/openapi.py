"""Our OpenAPI document: what the framework derives, with our errors, examples, and our way to sign in."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from mooring.api import openapi_errors, openapi_examples, openapi_shapes, openapi_tags, openapi_token
from mooring.api.authentication import is_public

_SIGN_IN = {
    "token": {
        "type": "oauth2",
        "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {}}},
    }
}
_FRAMEWORKS_OWN = ("HTTPValidationError", "ValidationError")
_NUMBER = {"text/plain": {"schema": {"type": "integer", "minimum": 0}, "example": 3}}
_MERGE_PATCH = "application/merge-patch+json"


def describer(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """What the application calls for its document; made once, at the first call."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    return describe


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    for shape in _FRAMEWORKS_OWN:
        document["components"]["schemas"].pop(shape, None)
    document["components"]["securitySchemes"] = _SIGN_IN
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(operation, path, method)
    openapi_token.describe(document)
    openapi_errors.add(document)
    openapi_shapes.make_exact(document)
    document["tags"] = openapi_tags.used_in(document)
    return document


def _complete(operation: dict[str, Any], path: str, method: str) -> None:
    operation["security"] = [] if is_public(path) else [{"token": []}]
    if path.endswith("/$count"):
        operation["responses"]["200"]["content"] = _NUMBER
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            parameter["explode"] = False  # lists are joined by commas (given again and again, they are taken, too)
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is None:
        return
    example = openapi_examples.of_body(method, path)
    if example is not None:
        body["example"] = example
    if method == "patch":
        operation["requestBody"]["content"][_MERGE_PATCH] = body
