"""The errors that reach a caller: one small tree, translated at one edge (`mooring.api.envelope`).

Each class knows its HTTP status and its AI API code (a string of eight digits, as clients of that API expect).
A message names the thing, the reason and the way out.
"""

from typing import ClassVar


class MooringError(Exception):
    """Something that a caller can be told about. `details` goes into the envelope's object of that name."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "01000500"

    def __init__(self, message: str, *, details: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or {}


class InvalidRequest(MooringError):
    """The request itself is wrong: a field, its type, its value, or what it refers to."""

    status = 400
    code = "01000400"


class Unauthorized(MooringError):
    """No token, or one that we did not issue, or one that has expired."""

    status = 401
    code = "01000401"


class Forbidden(MooringError):
    """A valid token that may not do this."""

    status = 403
    code = "01000403"


class NotFound(MooringError):
    """The object does not exist for this caller (objects of other resource groups do not exist)."""

    status = 404
    code = "01000404"


class MethodNotAllowed(MooringError):
    """The path exists, the method does not."""

    status = 405
    code = "01000405"


class Conflict(MooringError):
    """The object exists already, or somebody else changed it first."""

    status = 409
    code = "01000409"


class PreconditionFailed(MooringError):
    """The object's current status does not allow the change."""

    status = 412
    code = "01010076"


class NoRoom(MooringError):
    """There is no room for it now, on this machine or in the resource group; nothing was changed."""

    status = 412
    code = "01010412"


class TooLarge(MooringError):
    """The body is larger than allowed."""

    status = 413
    code = "02000005"


class Unavailable(MooringError):
    """Not now: a part that is needed does not answer. Trying again later may help."""

    status = 503
    code = "01000503"
