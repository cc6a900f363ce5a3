"""Reads objects of a store that others run: several at a time, large ones in parts, each part of the same version."""

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import obstore

from mooring.artifacts.deadline import Deadline
from mooring.artifacts.errors import CameDamaged, ChangedMeanwhile, NotThere, SourceAway
from mooring.artifacts.object_stores.checksums import Checksums, Promise, promise_of
from mooring.artifacts.object_stores.connecting import RemoteStore
from mooring.artifacts.object_stores.listing import StoredObject
from mooring.artifacts.object_stores.troubles import RangesUnknown, troubles_named
from mooring.artifacts.parallel import GivenUp, in_parallel
from mooring.artifacts.patience import patiently

if TYPE_CHECKING:
    from obstore import GetResult  # these are there for type checkers only

_WHOLE_BYTES = 16 << 20
"""Larger objects are read in parts."""
_PART_BYTES = 8 << 20
_PIECE_BYTES = 1 << 20
"""Each of those who read holds about this much."""
_AT_ONCE = 8


class Reading:
    """One fetch; `told` names the store in errors."""

    def __init__(self, store: RemoteStore, told: str, deadline: Deadline) -> None:
        self._store = store
        self._told = told
        self._checksums = Checksums()
        self._deadline = deadline
        self._given_up = threading.Event()
        self._promises: dict[str, Promise] = {}

    def files(self, targets: Mapping[Path, StoredObject]) -> None:
        """Each object to its path, whose folder is there. What turns out to mark a folder becomes one.

        Raises ChangedMeanwhile when an object is no longer the listed one, other ArtifactErrors, OSError.
        """
        whole_bytes = _WHOLE_BYTES if self._gives_parts(targets) else sys.maxsize
        in_parallel(self._reads(targets, whole_bytes), _AT_ONCE, self._given_up)
        if damaged := self._damaged(targets):
            in_parallel(self._reads(damaged, whole_bytes), _AT_ONCE, self._given_up)
            for path, found in damaged.items():
                self._check(path, found)

    def _gives_parts(self, targets: Mapping[Path, StoredObject]) -> bool:
        """Whether there is anything to be read in parts, by a store that can."""
        for found in targets.values():
            if found.size > _WHOLE_BYTES:
                try:
                    patiently(partial(self._asked, found, (0, 1)), self._deadline, self._given_up)
                except RangesUnknown:
                    return False
                except NotThere:
                    raise self._changed(found) from None
                return True
        return False

    def _reads(self, targets: Mapping[Path, StoredObject], whole_bytes: int) -> Iterator[partial[None]]:
        for path, found in targets.items():
            if found.size <= whole_bytes:
                yield partial(self._patiently, partial(self._whole, path, found))
                continue
            _reserve(path, found.size)
            for start in range(0, found.size, _PART_BYTES):
                yield partial(self._patiently, partial(self._part, path, found, start))

    def _patiently(self, read: "partial[None]") -> None:
        patiently(read, self._deadline, self._given_up)

    def _whole(self, path: Path, found: StoredObject) -> None:
        try:
            answer = self._asked(found)
        except NotThere:
            if found.size:
                raise self._changed(found) from None
            path.mkdir(exist_ok=True)  # another tool's mark of a folder: its name ends in a slash
            return
        promise = promise_of(_plain(answer.meta["e_tag"]), answer.attributes)
        hasher = promise.hasher()
        with path.open("wb") as file:
            written = 0
            for piece in self._pieces(found, answer):
                hasher.update(piece)
                written += file.write(piece)
        self._check_length(found, written, found.size)
        if self._checksums.can_tell(promise):
            self._checksums.check(found.key, promise, hasher.hexdigest(), self._told)

    def _part(self, path: Path, found: StoredObject, start: int) -> None:
        end = min(start + _PART_BYTES, found.size)
        try:
            answer = self._asked(found, (start, end))
        except NotThere:
            raise self._changed(found) from None
        if start == 0:
            self._promises[found.key] = promise_of(_plain(answer.meta["e_tag"]), answer.attributes)
        at = start
        with path.open("r+b", buffering=0) as file:
            for piece in self._pieces(found, answer):
                at += _write_at(file.fileno(), piece, at, end)
        self._check_length(found, at - start, end - start)

    def _damaged(self, targets: Mapping[Path, StoredObject]) -> dict[Path, StoredObject]:
        """Of those that were read in parts, which have another digest than promised."""
        damaged: dict[Path, StoredObject] = {}

        def check(path: Path, found: StoredObject) -> None:
            try:
                self._check(path, found)
            except CameDamaged:
                damaged[path] = found

        in_parts = ((path, found) for path, found in targets.items() if found.key in self._promises)
        in_parallel((partial(check, *each) for each in in_parts), os.cpu_count() or 1, self._given_up)
        return damaged

    def _check(self, path: Path, found: StoredObject) -> None:
        promise = self._promises[found.key]
        if not self._checksums.can_tell(promise):
            return
        hasher = promise.hasher()
        with path.open("rb", buffering=0) as file:
            while piece := file.read(_PIECE_BYTES):
                self._deadline.left()
                hasher.update(piece)
        self._checksums.check(found.key, promise, hasher.hexdigest(), self._told)

    def _asked(self, found: StoredObject, part: tuple[int, int] | None = None) -> "GetResult":
        """The answer, of the version that was listed. (Not by If-Match: not every store's listing spells ETags so.)"""
        with troubles_named(found.key, self._told):
            answer = obstore.get(self._store, found.key, options={"range": part} if part else None)
        etag, size = _plain(answer.meta["e_tag"]), answer.meta["size"]
        if etag and found.etag and etag != found.etag:
            raise self._changed(found)
        if size != found.size:
            if not etag:
                raise self._changed(found)
            raise SourceAway(f"{found.key!r} is listed with {found.size} bytes by {self._told} and comes with {size}")
        return answer

    def _pieces(self, found: StoredObject, answer: "GetResult") -> Iterator[memoryview]:
        pieces = answer.stream(_PIECE_BYTES)
        while True:
            with troubles_named(found.key, self._told):
                piece = next(pieces, None)
            if piece is None:
                return
            self._deadline.left()
            if self._given_up.is_set():
                raise GivenUp
            yield memoryview(piece)

    def _check_length(self, found: StoredObject, came: int, wanted: int) -> None:
        if came != wanted:
            raise SourceAway(f"{came} bytes of {found.key!r} came from {self._told} instead of {wanted}")

    def _changed(self, found: StoredObject) -> ChangedMeanwhile:
        return ChangedMeanwhile(
            f"{found.key!r} in {self._told} was changed while it was read: try again when nobody writes there"
        )


def listed(meta: "obstore.ObjectMeta") -> StoredObject:
    """An object as the client lists it."""
    return StoredObject(meta["path"], meta["size"], _plain(meta["e_tag"]))


def _plain(etag: str | None) -> str:
    """Listings and answers of one store differ in quotes (Azure)."""
    return (etag or "").removeprefix("W/").strip('"')


def _reserve(path: Path, size: int) -> None:
    """A disk that is too small is told before anything comes."""
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)


def _write_at(descriptor: int, piece: memoryview, at: int, end: int) -> int:
    if at + len(piece) > end:
        raise SourceAway("more bytes came than were asked for")
    left = piece
    while left:
        written = os.pwrite(descriptor, left, at)
        left, at = left[written:], at + written
    return len(piece)
