"""The access token: fetched once, kept, renewed in time."""

import threading
import time

from mooring.client.credentials import Credentials
from mooring.client.errors import ServerError, Unauthorized, Unreachable, error_of
from mooring.http_session import HttpSession, NoAnswer, Reply

_LONGEST_MARGIN_SECONDS = 300.0


class TokenSource:
    """Hands out a valid token to any number of threads; one of them fetches, the others wait for it."""

    def __init__(self, http: HttpSession, credentials: Credentials) -> None:
        self._http = http
        self._credentials = credentials
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0  # monotonic: a clock that jumps neither expires nor revives a token

    def token(self, *, timeout_seconds: float) -> str:
        """A valid token. Raises Unauthorized, ServerError or Unreachable."""
        with self._lock:
            if not self._token or time.monotonic() >= self._renew_at:
                self._fetch(timeout_seconds)
            return self._token

    def refused(self, token: str) -> None:
        """The server did not take this token: the next caller fetches one, unless somebody has done so."""
        with self._lock:
            if self._token == token:
                self._token = ""

    def _fetch(self, timeout_seconds: float) -> None:
        asked_at = time.monotonic()
        reply = self._ask(timeout_seconds)
        if not reply.ok:
            error = error_of(reply)
            if error.temporary:
                raise error
            raise Unauthorized(reply.status, f"no token for this client: {error.message}", code=error.code)
        try:
            body = reply.json()
            token, lifetime = str(body["access_token"]), float(body["expires_in"])
        except (ValueError, KeyError, TypeError) as error:
            raise ServerError(reply.status, "the token endpoint's answer has no access_token or expires_in") from error
        self._token = token
        # A tenth before its end, so that a token never expires on its way, however short its life.
        self._renew_at = asked_at + lifetime - min(_LONGEST_MARGIN_SECONDS, lifetime / 10)

    def _ask(self, timeout_seconds: float) -> Reply:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
        }
        try:
            return self._http.send(
                "POST",
                self._credentials.auth_url,
                form=form,
                timeout_seconds=timeout_seconds,
                repeatable=True,  # asking twice makes two tokens and harms nobody
            )
        except NoAnswer as error:
            raise Unreachable(str(error), unclear=False) from error  # what the token is for was not sent
