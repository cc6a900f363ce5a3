"""What can go wrong for a caller. Each error knows its HTTP status and MLflow's code for it."""

import re
from typing import ClassVar


class ServingError(Exception):
    """An answer other than 200. `message` is for the caller; `for_log` leaves the caller's values out."""

    status: ClassVar[int] = 500
    code: str = "INTERNAL_ERROR"

    def __init__(self, message: str, *, for_log: str | None = None, headers: tuple[tuple[str, str], ...] = ()):
        super().__init__(message)
        self.message = message
        self.for_log = message if for_log is None else for_log
        self.headers = headers


class InvalidInput(ServingError):
    """The body is not what the model's signature or the protocol asks for."""

    status = 400
    code = "BAD_REQUEST"

    def __init__(self, message: str, *, code: str | None = None, for_log: str | None = None):
        super().__init__(message, for_log=for_log)
        self.code = code or type(self).code


class NotFound(ServingError):
    """No such path, or a model or version that is not served here."""

    status = 404
    code = "NOT_FOUND"


class MethodNotAllowed(ServingError):
    """The path exists, the method does not."""

    status = 405
    code = "METHOD_NOT_ALLOWED"

    def __init__(self, method: str, path: str, allowed: tuple[str, ...]):
        allow = ", ".join(allowed)
        super().__init__(f"{method} is not possible at {path}: use {allow}", headers=(("allow", allow),))


class NotAcceptable(ServingError):
    """The answer cannot be written in any form that the caller takes."""

    status = 406
    code = "NOT_ACCEPTABLE"


class SlowBody(ServingError):
    """The body did not arrive within the request's deadline."""

    status = 408
    code = "REQUEST_TIMEOUT"


class TooLarge(ServingError):
    """The body is larger than the server takes."""

    status = 413
    code = "REQUEST_TOO_LARGE"

    def __init__(self, limit: int, message: str | None = None):
        # The rest of the body is not read, so the connection cannot be used again.
        super().__init__(
            message or f"the body is larger than the {limit} bytes that this server takes: send fewer rows per request",
            headers=(("connection", "close"),),
        )


class UnsupportedMediaType(ServingError):
    """A content type, charset or content encoding that this protocol does not have."""

    status = 415
    code = "UNSUPPORTED_MEDIA_TYPE"


class ModelFailed(ServingError):
    """The model raised an exception on input that fits its signature."""


class DiedPredicting(ServingError):
    """A model server died while it predicted this very request, so it is not predicted again."""

    def __init__(self) -> None:
        super().__init__(
            "the model server died while it predicted this request, which is therefore not predicted again: the end "
            "of its log has the reason; change the input, or give the model more memory"
        )


class Unavailable(ServingError):
    """Not now: the model is still loading, or too many requests wait for it."""

    status = 503
    code = "TEMPORARILY_UNAVAILABLE"

    def __init__(self, message: str, *, reason: str = "queue_full"):
        """`reason`: how it is counted."""
        super().__init__(message, headers=(("retry-after", "1"),))
        self.reason = reason


class DeadlineExceeded(ServingError):
    """The model did not answer within the request's deadline."""

    status = 504
    code = "DEADLINE_EXCEEDED"


class LoadFailed(Exception):
    """The model cannot be served. The text is one paragraph, meant for people."""


_CREDENTIALS = re.compile(r"://[^/@\s]+@")
_QUERY = re.compile(r"(\w://[^\s?]+)\?[^\s'\")]+")
_PARAGRAPH_LIMIT = 2000


def paragraph(text: str) -> str:
    """Any text as one bounded line, without the credentials that URLs carry (user info, signed queries)."""
    line = " ".join(text.split())
    line = _QUERY.sub(r"\1?…", _CREDENTIALS.sub("://…@", line))
    return line if len(line) <= _PARAGRAPH_LIMIT else line[: _PARAGRAPH_LIMIT - 1] + "…"


def describe(error: BaseException) -> str:
    """An exception as one line: its type and what it says."""
    text = paragraph(str(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
