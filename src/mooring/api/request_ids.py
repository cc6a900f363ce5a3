"""Every request has an id: the gateway's, or one of ours. It is on the answer, in errors, and on log lines."""

import logging
import re
from contextvars import ContextVar

from mooring.domain.identifiers import new_uuid

HEADER = "x-request-id"
_SAFE = re.compile(r"[\w.-]{1,128}", re.ASCII)
_current: ContextVar[str] = ContextVar("request_id", default="-")


def current() -> str:
    """The id of the request that is being handled; `-` outside of one."""
    return _current.get()


def begin(offered: str | None) -> str:
    """Take the gateway's id for this request, when it is a harmless one, or make one."""
    request_id = offered if offered and _SAFE.fullmatch(offered) else new_uuid()
    _current.set(request_id)
    return request_id


class RequestIdFilter(logging.Filter):
    """For log handlers: gives each record the attribute `request_id`, for use in the format."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current()
        return True
