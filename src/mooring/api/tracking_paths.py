"""The paths at which executions track themselves. They hold a permission, which is shown to nobody."""

import re

from mooring.services.tracking_addresses import FOLDER

_ADDRESS = re.compile(re.escape(FOLDER) + "([^/]+)/api/v1/metrics")
_SECRET = re.compile("^/*" + FOLDER.strip("/") + "/+[^/]+")


def permission_in(path: str) -> str | None:
    """The part that proves which execution calls; None for all other paths."""
    match = _ADDRESS.fullmatch(path)
    return match[1] if match else None


def shown(path: str) -> str:
    """The path as it may be shown, in logs and errors."""
    return _SECRET.sub(f"{FOLDER}***", path)
