"""What an AI API server answers when it does not do what it was asked."""

from typing import ClassVar

from mooring.http_session import Reply

_LONGEST_TEXT = 500


class ApiError(Exception):
    """An answer other than 2xx. `code`, `request_id` and `target` are empty where the server gives none.

    `temporary`: it may pass. `unclear`: what was asked for may have been done all the same.
    """

    temporary: ClassVar[bool] = False
    unclear: bool = False

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        request_id: str = "",
        target: str = "",
        retry_after_seconds: float = 0.0,
    ) -> None:
        super().__init__(f"{message} (status {status}, request {request_id or 'without id'})")
        self.status = status
        self.message = message
        self.code = code
        self.request_id = request_id
        self.target = target
        self.retry_after_seconds = retry_after_seconds


class BadRequest(ApiError):
    """400: the request is wrong and will stay so."""


class Unauthorized(ApiError):
    """401, or no token to be had: the client id or secret is not (or no longer) right."""


class Forbidden(ApiError):
    """403: the token may not do this."""


class NotFound(ApiError):
    """404: no such object in this resource group."""


class Conflict(ApiError):
    """409: it exists already, or changed meanwhile."""


class PreconditionFailed(ApiError):
    """412: the object's status does not allow it now."""


class TooManyRequests(ApiError):
    """429, also after the repeats."""

    temporary = True


class ServerError(ApiError):
    """5xx, also after the repeats; or a 2xx whose body is not what the API promises."""

    temporary = True
    unclear = True


class Unreachable(ApiError):
    """No answer at all within the deadline. `status` is 0."""

    temporary = True

    def __init__(self, message: str, *, unclear: bool = True) -> None:
        super().__init__(0, message)
        self.unclear = unclear

    def __str__(self) -> str:
        return f"no complete answer to {self.message}"


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: PreconditionFailed,
    429: TooManyRequests,
}


def error_of(reply: Reply) -> ApiError:
    """The typed error of an answer; a body that is no error envelope (plain text, say) becomes the message."""
    kind = _BY_STATUS.get(reply.status) or (ServerError if reply.status >= 500 else ApiError)
    envelope = _envelope(reply)
    message = str(envelope.get("message") or reply.text.strip()[:_LONGEST_TEXT] or "no reason given")
    return kind(
        reply.status,
        message,
        code=str(envelope.get("code") or ""),
        request_id=str(envelope.get("requestId") or reply.headers.get("x-request-id", "")),
        target=str(envelope.get("target") or ""),
        retry_after_seconds=reply.retry_after_seconds,
    )


def _envelope(reply: Reply) -> dict[str, object]:
    try:
        body = reply.json()
    except ValueError:
        return {}
    if isinstance(body, dict) and "ErrorMessage" in body:  # as the Destination service has it
        return {"message": body["ErrorMessage"]}
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        return error
    # The token endpoint answers {"error": "unauthorized", "error_description": "..."}.
    return {"message": body.get("error_description") or error} if isinstance(body, dict) else {}
