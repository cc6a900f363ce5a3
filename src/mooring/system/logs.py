"""The control plane's own log."""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from mooring.api.request_ids import RequestIdFilter

_BYTES = 10 * 1024 * 1024
_FORMAT = "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s"


def write_logs_to(path: Path) -> None:
    """All of `mooring.*` from INFO on, and everybody's warnings, in a file that is rotated at 10 MiB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=_BYTES, backupCount=2)
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(logging.Formatter(_FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("mooring").setLevel(logging.INFO)
