"""What Envoy says about itself: the one line that names its reason."""

import re
from pathlib import Path

from mooring.gateway.errors import GatewayError

_TAIL_BYTES = 64 * 1024
_LONGEST_REASON = 600

_ENTRY = re.compile(r"^\[[^]]+\]\[\d+\]\[(?P<level>\w+)\]\[[^]]+\] (?:\[[^]]+\] )?(?P<text>.*)", re.MULTILINE)
_SERIOUS = {"error", "critical"}
_REFUSAL = re.compile(r"rejected|refused|error|fail|invalid|unable|cannot", re.IGNORECASE)


class EnvoyLog:
    """Envoy's log from now on: what it said before has other reasons."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start = path.stat().st_size if path.exists() else 0

    def explain(self, message: str) -> GatewayError:
        """An error of one line: the message, Envoy's own reason, and where there is more to read."""
        return GatewayError(f"{message}: {self.reason()} (more in {self._path})")

    def reason(self) -> str:
        """The last thing it said that can be a reason, without time and place; never more than one line."""
        entries = list(_ENTRY.finditer(self._tail()))
        reasons = [entry for entry in entries if _is_reason(entry)] or entries
        if not reasons:
            return "it gives no reason"
        return " ".join(reasons[-1]["text"].split())[:_LONGEST_REASON]

    def _tail(self) -> str:
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - _TAIL_BYTES, self._start if self._start <= size else 0))
                return file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""


def _is_reason(entry: re.Match[str]) -> bool:
    return entry["level"] in _SERIOUS or bool(_REFUSAL.search(entry["text"]))
