"""A token says what its client was allowed when it was issued; what counts is that and what the store says by now."""

import asyncio
import time
from dataclasses import dataclass, replace

from mooring.api.tokens import Principal
from mooring.domain.roles import common_groups
from mooring.errors import Unauthorized
from mooring.services import client_standing
from mooring.services.client_standing import Standing
from mooring.store.database import Database

_SECONDS = 1.0
"""For so long a client's standing is not looked up again."""
_MOST_CLIENTS = 1000


@dataclass(frozen=True)
class _Look:
    """`at` is when the store was asked, in seconds since the epoch."""

    at: float
    found: asyncio.Future[Standing | None]

    def is_good_for(self, principal: Principal, now: float) -> bool:
        # Whoever has a token that is younger than the look may be newer, too. A clock may be set back.
        return 0 <= now - self.at < _SECONDS and principal.issued_at + 1 <= self.at


class Standings:
    """What the store says of the clients that call at the moment. Belongs to one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looks: dict[str, _Look] = {}

    async def narrow(self, principal: Principal) -> Principal:
        """The caller with the rights that both its token and the store give. Raises Unauthorized when none are left."""
        # Shielded, because others wait for the same look.
        standing = await asyncio.shield(self._look(principal).found)
        if standing is None:
            raise Unauthorized("Jwt is revoked: the client that it was issued to does not exist any more")
        if principal.issued_at < standing.tokens_valid_from:
            raise Unauthorized("Jwt is revoked: its client has a new secret or less rights; get a new token")
        if principal.role.is_of_another_kind(standing.role):
            raise Unauthorized("Jwt is revoked: its client has another role by now; get a new token")
        return replace(
            principal,
            role=principal.role.limited_to(standing.role),
            groups=common_groups(principal.groups, standing.groups),
        )

    def _look(self, principal: Principal) -> _Look:
        now = time.time()
        known = self._looks.get(principal.client_id)
        if known is not None and known.is_good_for(principal, now):
            return known
        look = _Look(now, asyncio.ensure_future(asyncio.to_thread(self._ask, principal.client_id)))
        self._looks.pop(principal.client_id, None)
        self._looks[principal.client_id] = look
        if len(self._looks) > _MOST_CLIENTS:
            del self._looks[next(iter(self._looks))]  # the one that was asked for longest ago
        return look

    def _ask(self, client_id: str) -> Standing | None:
        with self._database.reading() as session:
            return client_standing.of(session, client_id)
