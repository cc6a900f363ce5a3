"""Our OpenAPI document: what the framework derives, with our errors and our way to sign in."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from mooring.api.authentication import is_public
from mooring.api.schemas.common import ErrorEnvelope

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorEnvelope, "description": "The request is wrong: the message names the field."},
    401: {"model": ErrorEnvelope, "description": "A valid token is needed."},
    404: {"model": ErrorEnvelope, "description": "There is no such object in this resource group."},
    412: {"model": ErrorEnvelope, "description": "The object's status does not allow this."},
    "default": {"model": ErrorEnvelope, "description": "Any other error."},
}
_SIGN_IN = {
    "token": {
        "type": "oauth2",
        "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {}}},
    }
}
_TOKEN_FORM = {
    "content": {
        "application/x-www-form-urlencoded": {
            "schema": {
                "type": "object",
                "properties": {
                    "grant_type": {"type": "string", "enum": ["client_credentials"]},
                    "client_id": {"type": "string"},
                    "client_secret": {"type": "string", "format": "password"},
                },
            }
        }
    }
}


def describer(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """What the application calls for its document; made once, at the first call."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    return describe


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    document["components"]["securitySchemes"] = _SIGN_IN
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["security"] = [] if is_public(path) else [{"token": []}]
    document["paths"]["/oauth/token"]["post"]["requestBody"] = _TOKEN_FORM
    return document
