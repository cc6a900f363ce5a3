"""The certificate of a server that runs alone, taken anew when its files change."""

import asyncio
import logging
import ssl
from pathlib import Path

_logger = logging.getLogger("mooring.modelserver")

_LOOK_SECONDS = 10.0


class Certificate:
    """A certificate chain and its key (PEM, not encrypted), and the context that connections are made with.

    TLS 1.2 and later, with OpenSSL's own choice of ciphers.
    """

    def __init__(self, chain: Path, key: Path) -> None:
        """Raises OSError (ssl.SSLError is one) when they cannot be read, or do not fit each other."""
        self._chain, self._key = chain, key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._seen = self._files()
        _load(self.context, chain, key)

    def keep_fresh(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look at the files every few seconds, for as long as the loop runs."""
        self.refresh()
        loop.call_later(_LOOK_SECONDS, self.keep_fresh, loop)

    def refresh(self) -> None:
        """Take changed files for new connections; while they do not fit each other, the former ones hold."""
        try:
            files = self._files()
            if files == self._seen:
                return
            # On trial first: half a change in the context itself would refuse every connection.
            _load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), self._chain, self._key)
            _load(self.context, self._chain, self._key)
        except OSError as error:
            _logger.warning("the certificate %s is not taken anew, the former one holds: %s", self._chain, error)
            return
        self._seen = files
        _logger.info("the certificate %s has changed and is used from now on", self._chain)

    def _files(self) -> tuple[int, ...]:
        return tuple(
            number for path in (self._chain, self._key) for number in (path.stat().st_mtime_ns, path.stat().st_ino)
        )


def _load(context: ssl.SSLContext, chain: Path, key: Path) -> None:
    # An encrypted key fails; without this, OpenSSL would ask for its password at the terminal.
    context.load_cert_chain(chain, key, password=lambda: "")
