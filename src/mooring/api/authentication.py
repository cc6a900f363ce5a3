"""Nothing is answered without a token, except for what is listed here.

The gateway has verified the token already; it is verified here once more, so that nothing depends on the gateway's
configuration being right. What the token says is then held against what the store says of its client.
"""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from mooring.api import envelope, tracking_paths
from mooring.api.standings import Standings
from mooring.api.tokens import Principal, TokenIssuer
from mooring.errors import Unauthorized

PUBLIC_PATHS = frozenset(
    {
        "/oauth/token",
        "/oauth/keys",
        "/healthz",
        "/readyz",
        "/docs",
        "/docs/",
        "/webhooks/git",  # these prove themselves by a signature
        "/webhooks/mlflow",
    }
)
PUBLIC_FOLDER = "/docs/static/"
_STATE = "mooring.principal"


def is_public(path: str) -> bool:
    """Whether this path is answered without a token."""
    proves_itself = tracking_paths.permission_in(path) is not None  # see `api.tracking_access`
    return path in PUBLIC_PATHS or path.startswith(PUBLIC_FOLDER) or proves_itself


def principal_of(scope: Scope) -> Principal:
    """Who calls; only for paths that are not public."""
    principal: Principal = scope[_STATE]
    return principal


class Authentication:
    """Puts the `Principal` into the scope, or answers 401."""

    def __init__(self, app: ASGIApp, tokens: TokenIssuer, standings: Standings) -> None:
        self._app = app
        self._tokens = tokens
        self._standings = standings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not is_public(scope["path"]):
            try:
                scope[_STATE] = await self._standings.narrow(self._principal(scope))
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
