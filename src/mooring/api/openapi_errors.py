"""Which errors an operation can answer: exactly those are in our OpenAPI document."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from mooring.api.authentication import is_public
from mooring.api.error_details import are_listed
from mooring.api.schemas.common import ErrorEnvelope, ListingErrorEnvelope
from mooring.errors import (
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    PreconditionFailed,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from mooring.services.tracking_addresses import FOLDER

_DESCRIPTIONS = {
    400: "The request is wrong: the message names the field, the problem and what is allowed.",
    401: "A valid token is needed.",
    403: "The client's role does not allow this, or it is bound to resource groups.",
    404: "There is no such object for this client, in this resource group.",
    409: "It exists already, or somebody else changed it at the same moment.",
    412: "The object's status does not allow this, or there is no room for it.",
    413: "The body is larger than allowed.",
    503: "Not now: try again in a moment.",
}
_ERRORS = (InvalidRequest, Unauthorized, Forbidden, NotFound, Conflict, PreconditionFailed, TooLarge, Unavailable)
_CODES = {error.status: error.code for error in _ERRORS}
_STATEFUL = ("/{deploymentId}", "/{executionId}")
_NEEDS_ROOM = ("post", "/v2/lm/deployments")
_PLACE = "#/components/schemas/"
_TRACKING = FOLDER + "{permission}/api/v1/metrics"
_ON_PUBLIC_PATHS = {
    "/oauth/token": (413, 503),
    "/readyz": (503,),
    "/webhooks/git": (400, 401, 413, 503),
    "/webhooks/mlflow": (401, 404, 413),
    _TRACKING: (400, 403, 404, 409, 413, 503),
}


def add(document: dict[str, Any]) -> None:
    """Put them into every operation of the document, and their shapes into its components."""
    document["components"]["schemas"].update(_shapes())
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _add_to(operation, path, method)


def _add_to(operation: dict[str, Any], path: str, method: str) -> None:
    responses = operation["responses"]
    responses.pop("422", None)  # the framework's own, which we never answer
    for status in _statuses(operation, path, method):
        told = responses.setdefault(str(status), {"description": _DESCRIPTIONS[status]})
        content = told.setdefault("content", {"application/json": {"schema": {"$ref": _PLACE + _shape_at(path)}}})
        content["application/json"].setdefault("example", _example(status, path))
    operation["responses"] = dict(sorted(responses.items()))


def _statuses(operation: Mapping[str, Any], path: str, method: str) -> Iterator[int]:
    if is_public(path):
        yield from _ON_PUBLIC_PATHS.get(path, ())
        return
    changes = method != "get"
    has_body = "requestBody" in operation
    yield from (401, 503)
    if changes:
        yield from (403, 409)
    if has_body or operation.get("parameters"):
        yield 400
    if has_body:
        yield 413
    if "{" in path:
        yield 404
    if (changes and path.endswith(_STATEFUL)) or (method, path) == _NEEDS_ROOM:
        yield 412


def _example(status: int, path: str) -> dict[str, Any]:
    code, message = _CODES[status], "What is wrong with what, and what is allowed."
    details = [{"code": code, "message": message}] if are_listed(path) else {}
    request_id = "3f2b8c1e-5a64-4c0e-9d0b-7f6f2f0e9a11"
    return {"error": {"code": code, "message": message, "requestId": request_id, "target": path, "details": details}}


def _shape_at(path: str) -> str:
    return (ListingErrorEnvelope if are_listed(path) else ErrorEnvelope).__name__


def _shapes() -> dict[str, Any]:
    models = [(ErrorEnvelope, "serialization"), (ListingErrorEnvelope, "serialization")]
    _, schema = models_json_schema(models, ref_template=_PLACE + "{model}")  # type: ignore[arg-type]
    shapes: dict[str, Any] = schema["$defs"]
    return shapes
