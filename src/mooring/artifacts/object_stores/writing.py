"""Writes files to a store that others run: several at a time, large ones in parts."""

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import obstore

from mooring.artifacts.contents import Source, opened
from mooring.artifacts.deadline import Deadline
from mooring.artifacts.errors import BucketMissing, NotThere
from mooring.artifacts.object_stores.checksums import ATTRIBUTE
from mooring.artifacts.object_stores.connecting import RemoteStore
from mooring.artifacts.object_stores.troubles import troubles_named
from mooring.artifacts.parallel import in_parallel
from mooring.artifacts.patience import patiently

_PART_BYTES = 8 << 20
"""Larger files are sent in parts of this size, or larger ones when there would be too many."""
_MOST_PARTS = 9_000
"""S3 takes 10,000."""
_PARTS_AT_ONCE = 4
_FILES_AT_ONCE = 8
_PIECE_BYTES = 1 << 20


class Writing:
    """One transfer into a store; `told` names it in errors."""

    def __init__(self, store: RemoteStore, told: str, deadline: Deadline) -> None:
        self._store = store
        self._told = told
        self._deadline = deadline
        self._given_up = threading.Event()

    def put(self, files: Mapping[str, Path], source: Source) -> None:
        """Each file to its key. Raises ArtifactError, OSError."""
        small = {key: path for key, path in files.items() if path.stat().st_size <= _PART_BYTES}
        puts = (partial(self._file, key, path, source) for key, path in small.items())
        in_parallel(puts, _FILES_AT_ONCE, self._given_up)
        for key in files.keys() - small.keys():
            self._file(key, files[key], source)  # one after the other: each takes several parts' worth of memory

    def put_empty(self, key: str) -> None:
        self._patiently(key, partial(obstore.put, self._store, key, b""))

    def remove(self, keys: Iterable[str]) -> None:
        """What is not there is removed."""
        in_parallel((partial(self._remove, key) for key in keys), _FILES_AT_ONCE, self._given_up)

    def _file(self, key: str, path: Path, source: Source) -> None:
        with opened(path, source) as descriptor:
            size = os.fstat(descriptor).st_size
            digest = self._digest(descriptor)
            put = partial(
                obstore.put,
                self._store,
                key,
                Path(f"/proc/self/fd/{descriptor}"),  # what was checked, whatever its name leads to by now
                attributes={ATTRIBUTE: digest},
                use_multipart=size > _PART_BYTES,
                chunk_size=max(_PART_BYTES, -(-size // _MOST_PARTS)),
                max_concurrency=_PARTS_AT_ONCE,
            )
            self._patiently(key, put)

    def _digest(self, descriptor: int) -> str:
        hasher = hashlib.sha256()
        at = 0
        while piece := os.pread(descriptor, _PIECE_BYTES, at):
            self._deadline.left()
            hasher.update(piece)
            at += len(piece)
        return hasher.hexdigest()

    def _remove(self, key: str) -> None:
        try:
            self._patiently(key, partial(obstore.delete, self._store, key))
        except (NotThere, BucketMissing):
            return

    def _patiently(self, key: str, action: Callable[[], object]) -> None:
        patiently(lambda: self._once(key, action), self._deadline, self._given_up)

    def _once(self, key: str, action: Callable[[], object]) -> None:
        try:
            with troubles_named(key, self._told):
                action()
        except NotThere:
            raise BucketMissing(f"{self._told} is not there: make it, or change the object store secret") from None
