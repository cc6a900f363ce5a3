"""What can go wrong between us and Envoy."""

from pathlib import Path

from mooring.errors import Unavailable

_TAIL_BYTES = 4096


class GatewayError(Unavailable):
    """Envoy is missing, does not start, does not answer, or refuses its configuration."""


def with_log_tail(message: str, log: Path) -> GatewayError:
    """An error that ends with the last lines that Envoy wrote: it says there what it does not like."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            tail = file.read().decode(errors="replace").strip()
    except OSError as reason:
        tail = f"({reason})"
    return GatewayError(f"{message}; the end of {log}:\n{tail}")
