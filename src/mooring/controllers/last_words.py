"""What a job's program has said last: mostly that is why it has failed."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from mooring.runtimes.base import Runtime
from mooring.services.tracking_addresses import FOLDER

_BEGINNING, _END = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
_LOOKED_AT = 20
_LONGEST = 200
_PERMISSION = re.compile(re.escape(FOLDER) + r"[^\s/'\"]+")


@dataclass(frozen=True)
class LastWords:
    """Reads them from the runtime's logs."""

    runtime: Runtime

    def added_to(self, reason: str, exit_code: int, job_id: str) -> str:
        """The reason with the exit code, and with the last line of the log where the reason tells no more than that."""
        code = f"exit code {exit_code}"
        if exit_code > 0 and code not in reason:
            return f"{code}: {reason}"
        said = self._last_line(job_id)
        return f"{reason}: {said}" if said and said not in reason else reason

    def _last_line(self, job_id: str) -> str:
        lines = self.runtime.logs(job_id, start=_BEGINNING, end=_END, newest_first=True)
        said = next((text for line in islice(lines, _LOOKED_AT) if (text := line.message.strip())), "")
        return without_permissions(said)[:_LONGEST]


def without_permissions(text: str) -> str:
    """Without the addresses in it that permit to track an execution: a program may have printed its own."""
    return _PERMISSION.sub(f"{FOLDER}…", text)
