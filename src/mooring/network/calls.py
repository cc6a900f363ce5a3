"""Calls to URLs that clients have named: to our own gateway, or to whatever is within reach, never to anything else."""

import socket
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from mooring.http_session import HttpSession, NoAnswer, Repeats, Reply
from mooring.network.guard import Guard
from mooring.network.reach import OutOfReach, Reach

_PORTS = {"http": 80, "https": 443}
_ANSWER_BYTES = 1024 * 1024
_OF_THIS_MACHINE = ("127.0.0.1", "localhost")


class Calls:
    """Each call is one attempt with a deadline; redirects are not followed. Usable from many threads until `close`."""

    def __init__(self, reach: Reach, own_url: str, *, seconds: float = 10.0) -> None:
        self._reach = reach
        self._guard = Guard(reach)
        self._own = _origins(own_url)
        self._seconds = seconds

    def close(self) -> None:
        self._guard.close()

    def connect(self, url: str) -> None:
        """Connect, and nothing more. Raises NoAnswer, in words."""
        host, port = _target(url)
        try:
            if (host, port) in self._own:
                socket.create_connection((host, port), timeout=self._seconds).close()
            elif not _has_operators_proxy():  # else only the proxy may know the way
                self._reach.connect(host, port).close()
        except OSError as error:
            raise NoAnswer(_in_words(host, error)) from None

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        """The answer, whatever its status. Raises NoAnswer, in words that repeat nothing secret."""
        host, port = _target(url)
        is_own = (host, port) in self._own
        if not is_own and not _has_operators_proxy():
            self._refuse_what_is_out_of_reach(host, port)
        session = self._session(is_own=is_own)
        try:
            whole = str(httpx.URL(url).copy_merge_params(params or {}))
            return session.send(method, whole, headers=headers, form=form)
        except (httpx.InvalidURL, ValueError, OSError) as error:  # a header that cannot be sent, say
            raise NoAnswer(f"{method} {host}: cannot be sent ({type(error).__name__})") from None
        finally:
            session.close()

    def _refuse_what_is_out_of_reach(self, host: str, port: int) -> None:
        """In words, before anything is sent; whatever this does not see, the guard does."""
        try:
            self._reach.addresses(host, port)
        except OSError as error:
            raise NoAnswer(_in_words(host, error)) from None

    def _session(self, *, is_own: bool) -> HttpSession:
        # Without a transport of ours, the proxy of the environment is used.
        transport = None if _has_operators_proxy() and not is_own else self._transport(is_own=is_own)
        return HttpSession(
            "",
            transport=transport,
            timeout_seconds=self._seconds,
            max_answer_bytes=_ANSWER_BYTES,
            repeats=Repeats(count=0),
        )

    def _transport(self, *, is_own: bool) -> httpx.HTTPTransport:
        return httpx.HTTPTransport() if is_own else httpx.HTTPTransport(proxy=self._guard.proxy_url())


def _target(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise NoAnswer("it is no URL with a host, and a port if any") from None
    if not host:
        raise NoAnswer("it is a URL without a host")
    return host, port


def _origins(own_url: str) -> Collection[tuple[str, int]]:
    """Our gateway by the name that clients use, and by those that this machine has for itself."""
    host, port = _target(own_url)
    return {(host, port), *((name, port) for name in _OF_THIS_MACHINE)}


def _in_words(host: str, error: OSError) -> str:
    if isinstance(error, OutOfReach):
        return f"{error}; the operator can allow it with the setting destination_hosts"
    return f"{host} cannot be connected to: {error.strerror or error}"


def _has_operators_proxy() -> bool:
    return bool(getproxies().keys() & {"http", "https", "all"})
