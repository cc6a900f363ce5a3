"""The keys of access tokens, as the control planes of one store share them."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from mooring.api.tokens import TokenIssuer
from mooring.gateway.gateway import Gateway
from mooring.home import Home
from mooring.services import signing_keys
from mooring.services.signing_keys import SigningKey
from mooring.store.database import Database
from mooring.store.vault import CannotOpen, Vault
from mooring.system.errors import CannotStart


def take_keys(database: Database, vault: Vault, home: Home) -> list[SigningKey]:
    """The store's keys, with those that lie in the home as PEM files; the first start makes one.

    Earlier versions kept them in files; and this is how an operator adds one. A file goes once its key is in the
    store, where it is sealed. Raises CannotStart.
    """
    files = sorted(home.keys.glob("*.pem"))
    try:
        found = [signing_keys.read(file) for file in files]
        with database.reading() as session:
            fresh = [] if found or signing_keys.load(session, vault) else [signing_keys.generate()]
        with database.transaction() as session:
            _keep(session, vault, found, fresh)
        with database.reading() as session:
            keys = signing_keys.load(session, vault)
    except (OSError, ValueError, TypeError, CannotOpen) as error:
        raise CannotStart(f"the keys of tokens cannot be read: {error}") from error
    for file in files:
        file.unlink(missing_ok=True)
    return keys


class KeyWatch:
    """Sees to it that a key that was added elsewhere is known here without a restart."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        tokens: TokenIssuer,
        gateway: Gateway,
        keys: Sequence[SigningKey],
    ) -> None:
        self._database = database
        self._vault = vault
        self._tokens = tokens
        self._gateway = gateway
        self._keys = keys
        self._published = tokens.key_set()

    def look(self) -> None:
        """To be called again and again. Raises GatewayError, CannotOpen."""
        with self._database.reading() as session:
            self._keys = signing_keys.load(session, self._vault, self._keys)
        self._tokens.use(self._keys)  # also when they are the same: after a while the newest of them signs
        if self._tokens.key_set() != self._published:
            self._gateway.use_key_set(self._tokens.key_set())
            self._published = self._tokens.key_set()


def _keep(session: Session, vault: Vault, found: list[SigningKey], fresh: list[SigningKey]) -> None:
    for key in found:
        signing_keys.keep(session, vault, key)
    if not signing_keys.load(session, vault):  # nobody was quicker
        for key in fresh:
            signing_keys.keep(session, vault, key)
