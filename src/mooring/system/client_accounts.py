"""The clients of an installation, managed straight in its store: works whether its control plane runs or not."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from mooring.domain.roles import Role
from mooring.errors import Conflict, InvalidRequest
from mooring.home import Home
from mooring.services import clients
from mooring.services.clients import NewClient
from mooring.settings import Settings
from mooring.store.database import Database
from mooring.store.migrate import current_version, latest_version
from mooring.store.tables import Client
from mooring.system import destination_key, parts, service_key
from mooring.system.address import kept_address
from mooring.system.errors import CannotStart
from mooring.system.registry_watch import is_internal


class ClientAccounts:
    """Each method is one transaction; a running control plane notices within two seconds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._home = Home(settings.home)

    def create(self, client_id: str, role: Role, groups: Sequence[str], key_file: Path | None) -> NewClient:
        """A new client; its key is written to the file, if any. Raises MooringError, CannotStart, OSError."""
        _refuse_file(client_id, key_file)
        with self._changing() as session:
            made = clients.create(session, client_id, role=role, groups=groups)
            self._keep_key(made, key_file)
        return made

    def rotate(self, client_id: str, grace: timedelta, *, keep_tokens: bool, key_file: Path | None) -> NewClient:
        """A new secret. That of the home's own client goes into the home's key, too."""
        self._refuse_internal(client_id)
        _refuse_file(client_id, key_file)
        with self._changing() as session:
            renewed = clients.rotate(session, client_id, grace=grace, keep_tokens=keep_tokens)
            # Before it counts: if the rest fails, the next start registers what stands in the key.
            if client_id == service_key.own_client(self._home):
                service_key.renew_own_key(self._home, renewed)
            if client_id == destination_key.own_destination_client(self._home):
                destination_key.renew_own_destination_key(self._home, renewed)
            self._keep_key(renewed, key_file)
        return renewed

    def update(self, client_id: str, role: Role | None, groups: Sequence[str] | None, *, keep_tokens: bool) -> None:
        """Change what a client may do; None leaves it as it is."""
        self._refuse_internal(client_id)
        with self._changing() as session:
            clients.change(session, client_id, role=role, groups=groups, keep_tokens=keep_tokens)

    def delete(self, client_id: str) -> None:
        """Raises Conflict for clients that the installation itself needs."""
        self.refuse_needed(client_id)
        with self._changing() as session:
            clients.remove(session, client_id)

    def refuse_needed(self, client_id: str) -> None:
        """Raises Conflict for clients that the installation itself needs."""
        self._refuse_internal(client_id)
        own = {
            service_key.own_client(self._home): self._home.service_key,
            destination_key.own_destination_client(self._home): self._home.destination_key,
        }
        if client_id in own:
            raise Conflict(
                f"{client_id!r} is the client of {own[client_id]}, by which this installation is operated: "
                "it cannot be deleted; `mooring client rotate` gives it a new secret"
            )

    def list(self) -> Sequence[Client]:
        with self._store() as database, database.reading() as session:
            return clients.list_all(session)

    def note_on(self, client: Client) -> str:
        """What is special about a client; mostly nothing."""
        if is_internal(client.id):
            return "internal: the registry's builder"
        if client.id == destination_key.own_destination_client(self._home):
            return "this home's destination key"
        return "this home's service key" if client.id == service_key.own_client(self._home) else ""

    def key_of(self, client: NewClient) -> str:
        """Its service key, as text. Raises CannotStart when nobody knows yet where the installation is reached."""
        return service_key.new_key(client, self._public_url())

    def _keep_key(self, client: NewClient, file: Path | None) -> None:
        if file is not None:
            service_key.write_key(file, client, self._public_url())

    def _public_url(self) -> str:
        address = kept_address(self._home)
        if address is None:
            raise CannotStart(
                f"{self._home.path} has no address yet, which a key names: start it first (`mooring up`)."
            )
        return address.public_url

    def _refuse_internal(self, client_id: str) -> None:
        if is_internal(client_id):
            raise Conflict(f"{client_id!r} is internal: the builder makes it, and gives it a new secret at each start")

    @contextmanager
    def _changing(self) -> Iterator[Session]:
        with self._store() as database, database.transaction() as session:
            yield session

    @contextmanager
    def _store(self) -> Iterator[Database]:
        if self._settings.database_url is None and not self._home.database.exists():
            raise CannotStart(
                f"{self._home.path} holds no store yet: start Mooring there first (`mooring up`); where the state lies "
                "elsewhere, set MOORING_DATABASE_URL."
            )
        database = parts.open_database(self._settings, self._home)
        try:
            with database.reading() as session:
                found = current_version(session.connection())
            if found != latest_version():
                raise CannotStart(
                    f"the store has the schema {found or 'of nobody'}, this Mooring works with {latest_version()}: "
                    "start this version on it first (`mooring up`), or use the version that runs."
                )
            yield database
        finally:
            database.close()


def _refuse_file(client_id: str, file: Path | None) -> None:
    """Before anything is changed: raises InvalidRequest and Conflict for a file that no key can be written to."""
    if file is None:
        return
    if not file.parent.is_dir():
        raise InvalidRequest(f"{file.parent} is no folder: name a file in one that exists, or make it first")
    if file.exists() and service_key.client_of(file) != client_id:
        raise Conflict(f"{file} exists and is not a key of {client_id!r}: name another file, or remove it")
