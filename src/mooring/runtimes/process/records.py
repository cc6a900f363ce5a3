"""What a replica's folder says about it. A record that is absent or broken (a power cut) reads as None."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from mooring.files import write_atomically
from mooring.processes import ProcessId
from mooring.runtimes.base import Warm
from mooring.runtimes.process import layout


@dataclass(frozen=True)
class State:
    """The processes of a replica, in the run of the kernel that `boot` names. Written by the shim."""

    boot: str
    shim: ProcessId
    program: ProcessId

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """None when the replica never got as far as having processes."""
        facts = _read(folder / layout.STATE)
        try:
            return cls(str(facts["boot"]), ProcessId(**facts["shim"]), ProcessId(**facts["program"]))
        except (KeyError, TypeError):
            return None


@dataclass(frozen=True)
class Ending:
    """How it ended; `exit_code` is negative for a signal, None when nobody saw it. Written by the shim."""

    exit_code: int | None
    reason: str

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """None while it has not ended."""
        facts = _read(folder / layout.EXIT)
        if "reason" not in facts:
            return None
        return cls(facts.get("exit_code"), _printable(str(facts["reason"])))

    def write(self, folder: Path) -> None:
        """In place of a shim that could not. Raises OSError."""
        facts = {"exit_code": self.exit_code, "signal": None, "reason": self.reason}
        facts["at"] = datetime.now(UTC).isoformat()
        write_atomically(folder / layout.EXIT, json.dumps(facts).encode())


@dataclass(frozen=True)
class Memo:
    """The part of a spec that is needed as long as it runs. Written by the runtime.

    `serves`: a replica, which listens; otherwise a job. `ready_path` None: ready when it accepts connections.
    `redirects_too`: 200 to 399 are good answers, not only 200. `period_seconds`: how long a good one holds. `host` and
    `port`: where it listens, when that is not its unix socket. `container`: it is one of `mooring.runtimes.containers`.
    `warm_module` and `warm_tenant`: what its successors are forked from.
    """

    ready_path: str | None
    serves: bool = True
    redirects_too: bool = False
    initial_delay_seconds: float = 0.0
    timeout_seconds: float | None = None
    period_seconds: float = 0.0
    host: str | None = None
    port: int = 0
    container: bool = False
    warm_module: str = ""
    warm_tenant: str = ""

    @property
    def warm(self) -> Warm | None:
        """What its successors are forked from."""
        return Warm(self.warm_module, self.warm_tenant) if self.warm_module else None

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """None when it was never started."""
        facts = _read(folder / layout.SPEC)
        try:
            return cls(**facts) if facts else None
        except TypeError:
            return None

    def write(self, folder: Path) -> None:
        """Raises OSError."""
        write_atomically(folder / layout.SPEC, json.dumps(asdict(self)).encode())


def _read(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _printable(text: str) -> str:
    """Without terminal escapes and other control characters: replicas choose these words."""
    return "".join(character if character.isprintable() else " " for character in text).strip()
