"""Whether a destination works: connect, get a token, call the target; the first that fails ends the check."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mooring.http_session import NoAnswer, Reply
from mooring.services.destination_tokens import DestinationTokens, Outside, prefixed
from mooring.services.destinations import Opened

_REFUSED = (401, 403)
_SERVER_ERROR = 500


@dataclass(frozen=True)
class Step:
    """One thing that was tried; `detail` says how it went."""

    name: str
    ok: bool
    detail: str
    milliseconds: int


class _Failed(Exception):
    """A step went wrong; in words."""


def check(destination: Opened, tokens: DestinationTokens, outside: Outside) -> list[Step]:
    """What was tried, in order. No value of the destination but its URL's host is repeated."""
    steps: list[Step] = []
    for name, act in _acts(destination, tokens, outside):
        step = _tried(name, act)
        steps.append(step)
        if not step.ok:
            break
    return steps


def _acts(destination: Opened, tokens: DestinationTokens, outside: Outside) -> Iterator[tuple[str, Callable[[], str]]]:
    headers: dict[str, str] = {}

    def connect() -> str:
        _refuse_what_cannot_be_called(destination)
        outside.connect(destination.properties["URL"])
        return "connected"

    def get_token() -> str:
        found = tokens.of(destination)
        for token in found:
            if "error" in token:
                raise _Failed(str(token["error"]))
            headers[token["http_header"]["key"]] = token["http_header"]["value"]
        return "a token was issued" if found else "none is needed"

    def call() -> str:
        more = prefixed(destination.properties, "URL.headers.")
        queries = prefixed(destination.properties, "URL.queries.")
        return _judged(outside.send("GET", destination.properties["URL"], headers={**headers, **more}, params=queries))

    yield from (("connect", connect), ("token", get_token), ("call", call))


def _tried(name: str, act: Callable[[], str]) -> Step:
    started = time.monotonic()
    try:
        detail, ok = act(), True
    except (NoAnswer, _Failed) as error:
        detail, ok = str(error), False
    return Step(name, ok, detail, round(1000 * (time.monotonic() - started)))


def _refuse_what_cannot_be_called(destination: Opened) -> None:
    kind, proxy = destination.properties["Type"], destination.properties.get("ProxyType", "Internet")
    if kind != "HTTP":
        raise _Failed(f"destinations of Type {kind} cannot be checked: only those of Type HTTP can")
    if proxy != "Internet":
        raise _Failed(f"what lies behind ProxyType {proxy} cannot be reached from here")


def _judged(reply: Reply) -> str:
    """Any answer of the target itself will do: not every server has something at the URL as it stands."""
    words = f"the target answers {reply.status}"
    if reply.status in _REFUSED or reply.status >= _SERVER_ERROR:
        raise _Failed(
            f"{words}: {'the token is not accepted there' if reply.status in _REFUSED else 'it is in trouble'}"
        )
    if _is_the_gateways(reply):
        raise _Failed(f"{words}: the gateway knows no such deployment that runs, or the header AI-Resource-Group lacks")
    return words


def _is_the_gateways(reply: Reply) -> bool:
    try:
        content = reply.json()
        return bool(content["error"]["details"]["answeredBy"] == "gateway")
    except (ValueError, KeyError, TypeError):
        return False
