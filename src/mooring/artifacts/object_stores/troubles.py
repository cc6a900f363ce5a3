"""What goes wrong with object stores that others run, told apart and named; never with credentials."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import (
    BaseError,
    InvalidPathError,
    NotFoundError,
    NotSupportedError,
    PermissionDeniedError,
    UnauthenticatedError,
)

from mooring.artifacts.errors import NotThere, SourceAway, StoreRefuses, UnsafeContent, WrongCredentials

_STATUS = re.compile(r"status(?: code)?:? (4\d\d)")
_PASSING = frozenset({"408", "425", "429"})
_NO_RANGES = "non-partial response"
_QUOTED = re.compile(r'[Pp]ath ("(?:[^"\\]|\\.){1,200})')


class RangesUnknown(StoreRefuses):
    """The store does not answer a request for a part as it should (rclone's, say)."""


@contextmanager
def troubles_named(key: str, told: str) -> Iterator[None]:
    """Around calls of the client, and nothing else. `told` names the store. Raises ArtifactError."""
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise NotThere(f"there is nothing at {key!r} in {told}: check the artifact's url") from None
    except (PermissionDeniedError, UnauthenticatedError):
        raise WrongCredentials(
            f"{told} does not accept the credentials of its object store secret for {key!r}: change the secret"
        ) from None
    except InvalidPathError as error:
        # The client itself refuses to read a listing with such names.
        name = match[1] + '"' if (match := _QUOTED.search(str(error))) else "an odd name"
        raise UnsafeContent(f"{told} has something named {name} below {key!r}: nothing was kept") from None
    except BaseError as error:
        if _NO_RANGES in str(error):
            raise RangesUnknown(f"{told} gives no parts of {key!r}") from None
        raise _refusal_or_away(key, told, error) from None


def _refusal_or_away(key: str, told: str, error: BaseError) -> NotThere | StoreRefuses | SourceAway:
    # Neither the client's words nor the store's are passed on: both may repeat an address with a signature in it.
    status = match[1] if (match := _STATUS.search(str(error))) else None
    if status == "404":  # of a listing, say
        return NotThere(f"there is nothing at {key!r} in {told}: check the artifact's url")
    if isinstance(error, NotSupportedError):
        return StoreRefuses(f"{told} cannot do what is needed for {key!r}")
    if status and status not in _PASSING:
        return StoreRefuses(f"{told} refuses {key!r} with {status}: check endpoint, region and bucket of its secret")
    return SourceAway(f"{told} does not answer for {key!r}, or not as it should: try again in a moment")
