"""What an error's `details` are: an object, but on metrics and dataset files a list, as the AI API has it."""

from collections.abc import Mapping
from typing import Any

from mooring.errors import MooringError

_LISTING = ("/v2/lm/metrics", "/v2/lm/dataset/", "/tracking/")

_DESTINATIONS = "/destination-configuration"


def are_of_destinations(path: str) -> bool:
    """Whether errors at this path are `{"ErrorMessage": …}`, as the Destination service has it."""
    return path == _DESTINATIONS or path.startswith(f"{_DESTINATIONS}/")


def are_listed(path: str) -> bool:
    """Whether errors at this path have a list of `{code, message}` in `details`."""
    return path.startswith(_LISTING)


def of(error: MooringError, path: str) -> Mapping[str, Any] | list[dict[str, str]]:
    """`details` of this error at this path."""
    if not are_listed(path):
        return error.details
    return [{"code": error.code, "message": message} for message in _messages(error)]


def _messages(error: MooringError) -> list[str]:
    """One per field that is wrong, else the error's own."""
    fields = error.details.get("fields")
    if not isinstance(fields, list):
        return [error.message]
    return [f"{item['field']}: {item['problem']}" for item in fields]
