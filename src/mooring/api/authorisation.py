"""Which role a request needs: one table, and the layer that holds to it.

A role is about what is done; in which resource groups it may be done is the handlers' matter (`dependencies.Group`),
because only they know which group an object lies in.
"""

from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from mooring.api import envelope
from mooring.api.authentication import is_public, principal_of
from mooring.domain.roles import Role
from mooring.errors import Forbidden


@dataclass(frozen=True)
class Rule:
    """All below `path`, for these methods; none named means all."""

    path: str
    role: Role
    methods: frozenset[str] = frozenset()

    def is_about(self, method: str, path: str) -> bool:
        inside = path == self.path or path.startswith(self.path.rstrip("/") + "/")
        return inside and (not self.methods or method in self.methods)


READING = frozenset({"GET", "HEAD", "OPTIONS"})
RULES = (
    Rule("/destination-configuration", Role.DESTINATIONS),  # what is read there has secrets in it
    Rule("/", Role.VIEWER, READING),
    Rule("/v2/lm", Role.EDITOR),
    Rule("/", Role.ADMIN),
)
"""The first that is about a request counts. The paths of models are the gateway's; there a viewer may do everything."""


def role_needed(method: str, path: str) -> Role:
    """The lowest role that may do this. What nobody has thought of is for admins."""
    return next((rule.role for rule in RULES if rule.is_about(method, path)), Role.ADMIN)


class Authorisation:
    """Answers 403 before a byte of the body is read, or lets pass."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not is_public(scope["path"]):
            needed, held = role_needed(scope["method"], scope["path"]), principal_of(scope).role
            if not held.includes(needed):
                await envelope.answer_to(_refusal(needed, held), scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _refusal(needed: Role, held: Role) -> Forbidden:
    return Forbidden(
        f"this needs the role {needed.value}, the client has the role {held.value}: use another client, or let an "
        f"operator raise this one (mooring client update --role {needed.value})"
    )
