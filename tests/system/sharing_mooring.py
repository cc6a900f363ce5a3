"""Two installations on one PostgreSQL, each with its own home and gateway."""

import base64
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.system.models import Models
from tests.system.running_mooring import RunningMooring

LEASE_SECONDS = 3
ENCRYPTION_KEY = base64.b64encode(bytes(range(32))).decode()


@dataclass(frozen=True)
class Pair:
    """Both run; `first` was started first, so the replicas lie in its home."""

    first: RunningMooring
    second: RunningMooring


def environment(models: Models) -> dict[str, str]:
    """What both of them need. Leases are short, so that nobody waits long for the dead."""
    return {
        "MOORING_ENCRYPTION_KEY": ENCRYPTION_KEY,
        "MOORING_LEASE_SECONDS": str(LEASE_SECONDS),
        "MOORING_MODEL_FOLDERS": f'["{models.folder}"]',
    }


@contextmanager
def running_pair(folder: Path, store: str, models: Models) -> Iterator[Pair]:
    """Both end at the end, and with them the replicas. They are told of the store in the two ways that there are."""
    common = environment(models)
    with ExitStack() as stack:
        first = RunningMooring(folder / "first", {**common, "MOORING_DATABASE_URL": store})
        second = RunningMooring(folder / "second", common, "--database-url", store)
        yield Pair(stack.enter_context(first), stack.enter_context(second))
