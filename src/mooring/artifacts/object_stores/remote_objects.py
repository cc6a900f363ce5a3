"""The objects of a store that others run, as transfers need them."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import obstore

from mooring.artifacts.contents import Source
from mooring.artifacts.deadline import Deadline
from mooring.artifacts.errors import BucketMissing, NotThere, SourceAway, UnusableUri
from mooring.artifacts.object_stores.connecting import connect, described
from mooring.artifacts.object_stores.listing import EMPTY_FOLDER, Listing, StoredObject, TransferLimits, arranged, one
from mooring.artifacts.object_stores.reading import Reading, listed
from mooring.artifacts.object_stores.troubles import troubles_named
from mooring.artifacts.object_stores.writing import Writing
from mooring.artifacts.patience import patiently
from mooring.domain.object_stores import StoreAccess
from mooring.errors import InvalidRequest, Unavailable
from mooring.network.guard import Guard

T = TypeVar("T")

_LISTED_AT_ONCE = 1000


class RemoteObjects:
    """Made for one transfer. Raises UnusableUri, SourceAway, WrongCredentials when it cannot even be begun."""

    def __init__(self, access: StoreAccess, guard: Guard, limits: TransferLimits, deadline: Deadline) -> None:
        try:
            self._store = connect(access, guard)
        except InvalidRequest as error:
            raise UnusableUri(error.message) from error
        except Unavailable as error:
            raise SourceAway(error.message) from error
        self.told = described(access)
        self._limits = limits
        self._deadline = deadline

    def listing(self, key: str) -> Listing:
        """An object at exactly the key wins over what lies below it. Raises NotThere, BucketMissing, …"""
        if found := self._patient(lambda: self._find(key)):
            return one(found)
        return self._patient(lambda: self._below(key))

    def exists(self, key: str) -> bool:
        """Raises ArtifactError."""
        return self._patient(lambda: self._find(key) is not None or next(self._listed(key), None) is not None)

    def fetch(self, targets: dict[Path, StoredObject]) -> None:
        """Raises ChangedMeanwhile when something is no longer as it was listed."""
        Reading(self._store, self.told, self._deadline).files(targets)

    def replace(self, key: str, source: Source) -> None:
        """The new is there before the old goes. Two who do this at once may leave a mixture of both."""
        writing = Writing(self._store, self.told, self._deadline)
        new = {_below(key, name): path for name, path in source.files.items()}
        marks = {_below(key, _below(name, EMPTY_FOLDER)) for name in source.empty_folders}
        writing.put(new, source)
        for mark in marks:
            writing.put_empty(mark)
        before = self._patient(lambda: {each.key for each in self._listed(key)})
        writing.remove(before - new.keys() - marks)
        if key not in new and self._patient(lambda: self._find(key)):
            writing.remove([key])

    def remove(self, key: str) -> None:
        """Raises ArtifactError."""
        there = self._patient(lambda: {each.key for each in self._listed(key)})
        if self._patient(lambda: self._find(key)):
            there.add(key)
        Writing(self._store, self.told, self._deadline).remove(there)

    def _find(self, key: str) -> StoredObject | None:
        if not key:
            return None
        try:
            with troubles_named(key, self.told):
                found = listed(obstore.head(self._store, key))
        except NotThere:
            return None
        return found

    def _below(self, key: str) -> Listing:
        found = arranged(key, self._listed(key), self._limits, self.told)
        if not found.files and not found.folders:
            raise NotThere(
                f"there is neither an object {key!r} nor anything below it in {self.told}: check the artifact's url"
            )
        return found

    def _listed(self, key: str) -> Iterator[StoredObject]:
        pieces = obstore.list(self._store, key or None, chunk_size=_LISTED_AT_ONCE)
        while True:
            self._deadline.left()
            try:
                with troubles_named(key, self.told):
                    piece = next(pieces, None)
            except NotThere:
                raise BucketMissing(f"{self.told} is not there: make it, or change the object store secret") from None
            if piece is None:
                return
            yield from map(listed, piece)

    def _patient(self, action: Callable[[], T]) -> T:
        return patiently(action, self._deadline, threading.Event())


def _below(key: str, name: str) -> str:
    return f"{key}/{name}" if key and name else key or name
