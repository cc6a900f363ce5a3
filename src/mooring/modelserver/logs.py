"""The server's log on standard error: lines for people, or one JSON object per line."""

import json
import logging
import sys
from datetime import UTC, datetime

FORMATS = ("text", "json")
_TEXT = "%(asctime)s %(levelname)s %(message)s"
_ABOUT_A_REQUEST = "request %s: "


def log_to_stderr(form: str) -> None:
    """Take over the process's logging: ours from INFO on, that of libraries from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else logging.Formatter(_TEXT))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(True)  # Python's own warnings, which libraries give plenty of
    logging.getLogger("mooring.modelserver").setLevel(logging.INFO)


class JsonFormatter(logging.Formatter):
    """`time`, `level`, `logger`, `message`; `request_id` where a line is about one, `error` with a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        # All our lines about a request begin with its id.
        if isinstance(record.args, tuple) and record.args and str(record.msg).startswith(_ABOUT_A_REQUEST):
            line["request_id"] = str(record.args[0])
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
