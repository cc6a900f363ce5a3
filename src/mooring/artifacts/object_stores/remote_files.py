"""Files in object stores that others run, by way of obstore (https://developmentseed.org/obstore/).

A file is received here first and sent on when it is whole, so that a caller who leaves half way leaves nothing there.
Whether something is there already is asked before it is sent: of two who send at the same moment, the later stays.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import obstore

from mooring.artifacts.errors import ArtifactError, NotThere, WrongCredentials
from mooring.artifacts.object_stores.connecting import RemoteStore, connect
from mooring.artifacts.object_stores.troubles import troubles_named
from mooring.artifacts.object_stores.waiting_file import WaitingFile, waiting_file
from mooring.domain.object_stores import StoreAccess
from mooring.errors import Conflict, InvalidRequest, NotFound, Unavailable
from mooring.network.guard import Guard

if TYPE_CHECKING:
    from obstore import GetResult  # these are there for type checkers only

_PIECE_BYTES = 256 * 1024
_PARTS_AT_ONCE = 2
"""Each holds 5 MiB in memory."""


class RemoteFiles:
    """The files below a secret's bucket and pathPrefix.

    Raises InvalidRequest when it names no bucket, or a place that object stores may not be in.
    """

    def __init__(self, access: StoreAccess, incoming: Path, guard: Guard) -> None:
        self._store = connect(access, guard)
        self._incoming = incoming

    @contextmanager
    def upload(self, key: str, *, overwrite: bool) -> Iterator["RemoteUpload"]:
        """Begin a file. Raises Conflict, Unavailable, InvalidRequest."""
        if not overwrite:
            _refuse_existing(self._store, key)
        with waiting_file(self._incoming) as file:
            yield RemoteUpload(self._store, key, file, overwrite=overwrite)

    def read(self, key: str) -> "RemoteContent":
        """Raises NotFound, Unavailable, InvalidRequest."""
        with _troubles_told(key):
            return RemoteContent(obstore.get(self._store, key))

    def remove(self, key: str) -> None:
        """Raises NotFound, Unavailable, InvalidRequest."""
        with _troubles_told(key):
            obstore.head(self._store, key)  # a store itself does not say whether there was anything
            obstore.delete(self._store, key)


class RemoteUpload:
    """A file that is coming."""

    def __init__(self, store: RemoteStore, key: str, file: WaitingFile, *, overwrite: bool) -> None:
        self._store = store
        self._key = key
        self._file = file
        self._overwrite = overwrite

    def write(self, piece: bytes) -> None:
        """Raises Unavailable when the disk is full."""
        self._file.write(piece)

    def publish(self) -> None:
        """Raises Conflict, Unavailable, InvalidRequest."""
        if not self._overwrite:
            _refuse_existing(self._store, self._key)
        try:
            with _troubles_told(self._key):
                obstore.put(self._store, self._key, self._file.path, max_concurrency=_PARTS_AT_ONCE)
        except NotFound as error:
            raise InvalidRequest("the bucket of the object store secret does not exist") from error


class RemoteContent:
    """A file to be read once."""

    def __init__(self, found: "GetResult") -> None:
        self.size = found.meta["size"]
        self._found = found

    def pieces(self) -> Iterator[bytes]:
        for piece in self._found.stream(_PIECE_BYTES):
            yield bytes(piece)

    def close(self) -> None:
        """Nothing is held open: the connection ends with the stream."""


def _refuse_existing(store: RemoteStore, key: str) -> None:
    try:
        with _troubles_told(key):
            obstore.head(store, key)
    except NotFound:
        return
    raise Conflict(f"there is something at {key!r} already: send ?overwrite=true to replace a file")


@contextmanager
def _troubles_told(key: str) -> Iterator[None]:
    """In the words of whoever sends one file, and knows the store."""
    try:
        with troubles_named(key, "the object store"):
            yield
    except NotThere:
        raise NotFound(f"there is no file {key!r} in this object store") from None
    except WrongCredentials:
        raise InvalidRequest("the object store does not accept the credentials of its secret for this") from None
    except ArtifactError as error:
        raise Unavailable("the object store does not answer, or not as it should: try again in a moment") from error
