"""Has what a revision needs brought to this machine, in the background."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from mooring.controllers.errands import Errands
from mooring.controllers.supplies import Stock
from mooring.domain.errands import Errand
from mooring.domain.revisions import ContainerServerSpec, RevisionSpec
from mooring.errors import InvalidRequest, NotFound

_PARALLEL = 4
_PASSING = (NotFound, InvalidRequest)
"""A secret that nobody has created yet, or not as it is needed: a server waits for it."""

Fetch = Callable[[str, RevisionSpec, Stock], Stock]
"""`Supplies.fetch`: for a resource group's revision, given what is known to be there."""


class Preparations:
    """Fetches again and again where that may help; remembers what there is per revision.

    Images wait for images only, models for models: a registry that is slow keeps nobody from the other.
    """

    def __init__(self, fetch: Fetch, *, on_change: Callable[[], None]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._stocks: dict[str, Stock] = {}
        self._images = Errands("fetch", parallel=_PARALLEL, on_change=on_change, passing=_PASSING)
        self._models = Errands("fetch", parallel=_PARALLEL, on_change=on_change, passing=_PASSING)

    def state(self, revision_id: str, spec: Mapping[str, Any], known: Stock) -> Errand:
        """How far it is; `spec` as in the store, `known` is what an earlier control plane has noted."""
        with self._lock:
            stock = self._stocks.get(revision_id, Stock())
            stock = self._stocks[revision_id] = Stock(stock.folder or known.folder, stock.image or known.image)
        return replace(self._errands(spec.get("kind")).state(revision_id), done=stock.is_all(spec))

    def begin(self, revision_id: str, group: str, spec: RevisionSpec) -> None:
        """Fetch unless that is under way."""
        with self._lock:
            self._stocks.setdefault(revision_id, Stock())
        self._errands(spec.KIND).begin(revision_id, partial(self._bring, revision_id, group, spec))

    def stock(self, revision_id: str) -> Stock | None:
        """What there is for the revision; None when nobody has asked for its state."""
        with self._lock:
            return self._stocks.get(revision_id)

    def forget(self, revision_id: str) -> None:
        """The revision is retired."""
        self._images.forget(revision_id)
        self._models.forget(revision_id)
        with self._lock:
            self._stocks.pop(revision_id, None)

    def _errands(self, kind: object) -> Errands:
        return self._images if kind == ContainerServerSpec.KIND else self._models

    def _bring(self, revision_id: str, group: str, spec: RevisionSpec) -> None:
        """What was there is fetched anew: it has vanished. (Not an image: what its tag has meant first stays.)"""
        known = self.stock(revision_id) or Stock()
        stock = self._fetch(group, spec, Stock(image=known.image))
        with self._lock:
            if revision_id in self._stocks:  # else it was retired meanwhile
                self._stocks[revision_id] = stock
