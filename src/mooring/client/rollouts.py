"""A change that the server is to watch, and to take back if it fails. Servers other than Mooring do not know of it."""

from collections.abc import Mapping
from dataclasses import dataclass

HEADER = "Mooring-Rollout"


@dataclass(frozen=True)
class Rollout:
    """Back to what served before, if the new configuration does not get ready, or fails within the window after: a
    replica dies or falls silent, or a larger share than `max_error_rate` of at least `min_requests` answers are 5xx."""

    window_seconds: float = 60.0
    max_error_rate: float = 0.05
    min_requests: int = 20

    @property
    def headers(self) -> Mapping[str, str]:
        """What asks for it."""
        numbers = (
            f"window={self.window_seconds}; max-error-rate={self.max_error_rate}; min-requests={self.min_requests}"
        )
        return {HEADER: f"return; {numbers}"}
