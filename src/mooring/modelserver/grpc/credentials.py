"""The server's certificate for gRPC's own TLS, taken anew when its files change."""

import logging
from pathlib import Path
from typing import Any

import grpc

_logger = logging.getLogger("mooring.modelserver")


def credentials(chain: Path, key: Path) -> Any:
    """For a secure port. They are known to fit each other: HTTP has taken them already. Raises OSError."""
    files = _Files(chain, key)
    return grpc.dynamic_ssl_server_credentials(files.configuration(), files.changed, False)


class _Files:
    def __init__(self, chain: Path, key: Path) -> None:
        self._chain, self._key = chain, key
        self._seen = self._state()

    def configuration(self) -> Any:
        return grpc.ssl_server_certificate_configuration([(self._key.read_bytes(), self._chain.read_bytes())])

    def changed(self) -> Any:
        """Asked at each handshake: None when nothing has changed, or what is there now cannot be read."""
        try:
            state = self._state()
            if state == self._seen:
                return None
            fresh = self.configuration()
        except OSError as error:
            _logger.warning("the certificate %s is not taken anew for gRPC: %s", self._chain, error)
            return None
        self._seen = state
        return fresh

    def _state(self) -> tuple[int, ...]:
        return tuple(
            number for path in (self._chain, self._key) for number in (path.stat().st_mtime_ns, path.stat().st_ino)
        )
