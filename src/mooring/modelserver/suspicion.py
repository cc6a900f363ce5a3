"""No request ends one replica after the other: who was being predicted when a replica died is not predicted again."""

from collections.abc import Callable

from mooring.modelserver.delivery import Delivery
from mooring.modelserver.errors import DiedPredicting
from mooring.modelserver.journal import Journal
from mooring.modelserver.journals import Journals


class Suspicion:
    """Notes what runs, and looks at what the dead have noted.

    With several predictions at the same time, nobody can tell which of them it was: all of them are suspects.
    """

    def __init__(self, journal: Journal, *, max_deaths: int) -> None:
        self._journal = journal
        self._others = Journals(journal.path)
        self._max_deaths = max_deaths
        self._others.prune()

    def run(self, delivery: Delivery, work: Callable[[], bytes]) -> bytes:
        """Do the work, under suspicion while it lasts. Raises DiedPredicting, and whatever the work raises."""
        # Only then: the first try of a request costs no look at the disk.
        if delivery.is_repeated and self._others.deaths(delivery.request) >= self._max_deaths:
            raise DiedPredicting
        slot = self._journal.begin(delivery.request)
        try:
            return work()
        finally:
            self._journal.end(slot)
