"""The one edge where errors become answers: `{"error": {code, message, requestId, target, details}}`."""

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from mooring.api import answers, error_details, methods, request_ids, tracking_paths
from mooring.api.validation import explain
from mooring.errors import (
    Conflict,
    InvalidRequest,
    MethodNotAllowed,
    MooringError,
    NotFound,
    TooLarge,
    Unauthorized,
    Unavailable,
)

_DISK_FULL = "53100"
"""PostgreSQL's name for it."""
_logger = logging.getLogger(__name__)


class _Unexpected(MooringError):
    """A fault of ours; its traceback is in the log, never in the answer."""

    status: ClassVar[int] = 500


def install(app: FastAPI) -> None:
    """Let handlers and the framework raise; this turns all of it into the envelope."""
    app.add_exception_handler(MooringError, _answer)
    app.add_exception_handler(RequestValidationError, _answer)
    app.add_exception_handler(HTTPException, _answer)
    app.add_exception_handler(405, _answer_method)


def answer_to(exception: Exception, target: str) -> Response:
    """The answer to any exception. Logs those that are no fault of the caller."""
    error = _as_error(exception)
    target = tracking_paths.shown(target)
    if error.status >= 500:
        _logger.error("%s: %s", target, error.message, exc_info=exception)
    if error_details.are_of_destinations(target):
        return answers.json({"ErrorMessage": error.message}, error.status, _headers(error, exception))
    return answers.json({"error": content(error, target)}, error.status, _headers(error, exception))


def content(error: MooringError, target: str) -> dict[str, Any]:
    """The inner object of the envelope."""
    return {
        "code": error.code,
        "message": error.message,
        "requestId": request_ids.current(),
        "target": target,
        "details": error_details.of(error, target),
    }


async def _answer(request: Request, exception: Exception) -> Response:
    return answer_to(exception, request.url.path)


async def _answer_method(request: Request, exception: Exception) -> Response:
    allowed = methods.allowed_at(request)
    if allowed:  # what the framework says names the methods of one route of the path only
        exception = HTTPException(405, headers={"Allow": ", ".join(allowed)})
    return await _answer(request, exception)


def _as_error(exception: Exception) -> MooringError:
    match exception:
        case MooringError():
            return exception
        case RequestValidationError():
            return explain(exception)
        case HTTPException():
            return _from_http(exception)
        case ClientDisconnect():
            return InvalidRequest("the connection was closed before the whole body had come")
        case IntegrityError():
            return Conflict("somebody else changed this at the same moment: look at it again, then try again")
        case DataError():
            return InvalidRequest("a value is too long or too large to be kept, or holds a character that cannot be")
        case OperationalError() if _is_full(exception):
            return Unavailable("the disk of the store is full: nothing was kept; free some room, then try again")
        case OperationalError() | InterfaceError() | PoolTimeoutError() | DBAPIError(connection_invalidated=True):
            return Unavailable("the store does not answer: try again in a moment")
        case _:
            return _Unexpected("an unexpected error; the log has more about it under this requestId")


def _is_full(error: OperationalError) -> bool:
    named = getattr(error.orig, "sqlite_errorname", None), getattr(error.orig, "sqlstate", None)
    return named in (("SQLITE_FULL", None), (None, _DISK_FULL))


def _from_http(exception: HTTPException) -> MooringError:
    match exception.status_code:
        case 404:
            return NotFound("there is nothing at this path: /docs shows what there is")
        case 405:
            allowed = (exception.headers or {}).get("Allow", "another one")
            return MethodNotAllowed(f"this path does not take this method, but {allowed}")
        case 413:
            return TooLarge(str(exception.detail))
        case 401:
            return Unauthorized(str(exception.detail))
        case status if status < 500:
            return InvalidRequest(f"the request cannot be read: {exception.detail}")
        case _:
            return _Unexpected("an unexpected error; the log has more about it under this requestId")


def _headers(error: MooringError, exception: Exception) -> Mapping[str, str] | None:
    if error.status == 401:
        return {"WWW-Authenticate": "Bearer"}
    if error.status == 405 and isinstance(exception, HTTPException):
        return exception.headers
    return None
