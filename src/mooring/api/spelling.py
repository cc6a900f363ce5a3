"""Both spellings of query parameters: `$top` as specified, and `top` as the Python SDK sends it."""

from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Receive, Scope, Send

_DOLLARED = frozenset({"top", "skip", "order", "search", "select", "expand", "count", "filter"})
_PREFIX = "/v2/"


class Spelling:
    """Gives the parameters that are specified with a dollar sign theirs, so that handlers know one spelling."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["query_string"] and scope["path"].startswith(_PREFIX):
            scope["query_string"] = with_dollar(scope["query_string"])
        await self._app(scope, receive, send)


def with_dollar(query: bytes) -> bytes:
    """The query string with `$` before those names; what was sent with `$` wins, because the last of equals does."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    plain = [(f"${name}", value) for name, value in pairs if name in _DOLLARED]
    others = [(name, value) for name, value in pairs if name not in _DOLLARED]
    return urlencode(plain + others).encode() if plain else query
