"""No request ends one replica after the other: who was being predicted when a replica died is not predicted again."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from mooring.modelserver.delivery import Delivery
from mooring.modelserver.errors import DiedPredicting
from mooring.modelserver.journal import Journal
from mooring.modelserver.journals import Journals

T = TypeVar("T")


class Suspicion:
    """Notes what runs, and looks at what the dead have noted.

    With several predictions at the same time, nobody can tell which of them it was: all of them are suspects.
    """

    def __init__(self, journal: Journal, *, max_deaths: int) -> None:
        self._journal = journal
        self._others = Journals(journal.path)
        self._max_deaths = max_deaths
        self._others.prune()

    def run(self, delivery: Delivery, work: Callable[[], T]) -> T:
        """Do the work, under suspicion while it lasts. Raises DiedPredicting, and whatever the work raises.

        A request that was in company when a replica died is given the benefit of the doubt once, and predicted alone.
        """
        # Only then: the first try of a request costs no look at the disk.
        if delivery.is_repeated and self._has_killed(delivery.request):
            raise DiedPredicting
        slot = self._journal.begin(delivery.request)
        try:
            return work()
        finally:
            self._journal.end(slot)

    @contextmanager
    def of_batch(self, requests: Iterable[bytes | None]) -> Iterator[None]:
        """These are predicted at once (None: one without a name), for the first time."""
        names = [request for request in requests if request is not None]
        is_company = len(names) > 1
        slots = [self._journal.begin(name, in_company=is_company) for name in names]
        try:
            yield
        finally:
            for slot in slots:
                self._journal.end(slot)

    def _has_killed(self, request: bytes) -> bool:
        alone = self._others.deaths(request)
        if alone >= self._max_deaths:
            return True
        return alone > 0 and alone + self._others.deaths(request, in_company=True) >= self._max_deaths
