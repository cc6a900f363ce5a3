"""What was measured, and what could not be."""

import json
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.serving.cells import Cell
from bench.serving.load import Sent


@dataclass(frozen=True)
class Measurement:
    """One server under one load, once."""

    peer: str
    setting: str
    cell: Cell
    sent: Sent
    cpu_microseconds: float
    """Of the server and its children, per answered request."""


@dataclass(frozen=True)
class Start:
    """One server alone on the machine: seconds to its first right answer, MiB (PSS) after a second of load."""

    peer: str
    setting: str
    seconds: float
    mib: float
    processes: int


@dataclass
class Results:
    """Of a whole run."""

    measurements: list[Measurement] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    troubles: dict[tuple[str, str], str] = field(default_factory=dict)
    """(peer, what) → why it was not measured."""

    def middle(self, peer: str, cell: Cell, what: Callable[[Measurement], float]) -> float | None:
        """The median of all rounds; None when there is none."""
        values = [what(one) for one in self.measurements if (one.peer, one.cell) == (peer, cell)]
        return statistics.median(values) if values else None

    def failed(self, peer: str, cell: Cell) -> int:
        """Requests of all rounds that were not answered with 200."""
        return sum(one.sent.failed for one in self.measurements if (one.peer, one.cell) == (peer, cell))

    def write(self, file: Path) -> None:
        """Every single measurement as JSON."""
        document = {
            "measurements": [{**asdict(one), "cell": str(one.cell)} for one in self.measurements],
            "starts": [asdict(one) for one in self.starts],
            "troubles": [{"peer": peer, "what": what, "why": why} for (peer, what), why in self.troubles.items()],
        }
        file.write_text(json.dumps(document, indent=1))
