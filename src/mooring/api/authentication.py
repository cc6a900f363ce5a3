"""Nothing is answered without a token, except for what is listed here.

The gateway has verified the token already; it is verified here once more, so that nothing depends on the gateway's
configuration being right.
"""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from mooring.api import envelope
from mooring.api.tokens import Principal, TokenIssuer
from mooring.errors import Unauthorized

PUBLIC_PATHS = frozenset(
    {
        "/oauth/token",
        "/oauth/keys",
        "/healthz",
        "/readyz",
        "/docs",
        "/webhooks/mlflow",  # proves itself by a signature
    }
)
PUBLIC_FOLDER = "/docs/static/"
_STATE = "mooring.principal"


def is_public(path: str) -> bool:
    """Whether this path is answered without a token."""
    return path in PUBLIC_PATHS or path.startswith(PUBLIC_FOLDER)


def principal_of(scope: Scope) -> Principal:
    """Who calls; only for paths that are not public."""
    principal: Principal = scope[_STATE]
    return principal


class Authentication:
    """Puts the `Principal` into the scope, or answers 401."""

    def __init__(self, app: ASGIApp, tokens: TokenIssuer) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not is_public(scope["path"]):
            try:
                scope[_STATE] = self._principal(scope)
            except Unauthorized as error:
                await envelope.answer_to(error, scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _principal(self, scope: Scope) -> Principal:
        given = Headers(scope=scope).getlist("authorization")
        if not given:
            raise Unauthorized("a token is needed: send Authorization: Bearer with one from /oauth/token")
        scheme, _, token = given[0].partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer":
            raise Unauthorized("send one header Authorization, with the scheme Bearer")
        return self._tokens.verify(token.strip())
