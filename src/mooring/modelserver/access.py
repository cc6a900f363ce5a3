"""Who may ask, when the server runs alone: whoever sends one of the tokens in a file."""

import hashlib
import logging
import os
import time
from collections.abc import Iterable
from pathlib import Path

from mooring.modelserver.errors import ServingError
from mooring.modelserver.routes import TOP_LEVEL

_logger = logging.getLogger("mooring.modelserver")

_LOOK_SECONDS = 1.0
_LARGEST_BYTES = 1024 * 1024
_SHORT = 16

_OPEN_PATHS = ("", "/", "/api", "/api/", "/ping", "/health", "/livez", "/readyz", "/doc/")
_OPEN_FOLDERS = ("/v2/health/", "/api/static/")


class Unauthorized(ServingError):
    """No token, or none of those in the file."""

    status = 401
    code = "UNAUTHENTICATED"

    def __init__(self, message: str):
        # The realm tells the documentation page that there is no token service here.
        super().__init__(message, headers=(("www-authenticate", 'Bearer realm="model-server"'),))


class Access:
    """The tokens of one file, one per line, read again when the file changes. Used from the event loop only.

    A file that becomes unreadable leaves the tokens as they were, and says so in the log.
    """

    def __init__(self, path: Path, name: str) -> None:
        """Raises OSError and ValueError when the file cannot be read, or holds no token. `name` is the model's."""
        self._path = path
        # A model may be called `invocations`: what is open under a prefix must not be something else without it.
        prefixes = ("",) if name in TOP_LEVEL or "/" in name else ("", f"/{name}")
        self._open_paths = frozenset(prefix + part for prefix in prefixes for part in _OPEN_PATHS)
        self._open_folders = tuple(prefix + part for prefix in prefixes for part in _OPEN_FOLDERS)
        # What comparing digests tells by its time is worth nothing to who does not know the key.
        self._key = os.urandom(32)
        self._digests: frozenset[bytes] = frozenset()
        self._seen: tuple[int, ...] = ()
        self._next_look = 0.0
        self._read()

    def is_open(self, path: str) -> bool:
        """Whether everybody may ask this: probes, and the documentation's own files (not what they describe)."""
        return path in self._open_paths or path.startswith(self._open_folders)

    def guard(self, path: str, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Raises Unauthorized, unless the path is open."""
        if not self.is_open(path):
            self.check(headers)

    def check(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Raises Unauthorized. Headers have lower-case names."""
        given = next((value for name, value in headers if name == b"authorization"), None)
        if given is None:
            raise Unauthorized("a token is needed: send the header 'Authorization: Bearer TOKEN'")
        scheme, _, token = given.partition(b" ")
        self._look()
        if scheme.lower() != b"bearer" or self._digest(token.strip()) not in self._digests:
            raise Unauthorized("the token is not one of this server's")

    def _look(self) -> None:
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_SECONDS
        try:
            self._read()
        except (OSError, ValueError) as error:
            _logger.warning("the token file %s is not read anew, its former tokens hold: %s", self._path, error)

    def _read(self) -> None:
        status = self._path.stat()
        seen = (status.st_mtime_ns, status.st_size, status.st_ino)
        if seen == self._seen:
            return
        if status.st_size > _LARGEST_BYTES:
            raise ValueError(f"it is larger than {_LARGEST_BYTES} bytes")
        lines = [line.strip() for line in self._path.read_bytes().splitlines()]
        tokens = [line for line in lines if line and not line.startswith(b"#")]
        if not tokens:
            raise ValueError("it holds no token: write one per line")
        if any(len(token) < _SHORT for token in tokens):
            _logger.warning("a token in %s is shorter than %d characters: somebody may guess it", self._path, _SHORT)
        self._digests, self._seen = frozenset(map(self._digest, tokens)), seen

    def _digest(self, token: bytes) -> bytes:
        return hashlib.blake2b(token, key=self._key, digest_size=32).digest()
