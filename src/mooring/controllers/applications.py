"""Keeps applications in sync with their folders: every few minutes, and at once when somebody asks for it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from mooring.controllers.work_lease import NamedLease
from mooring.domain import git_folders
from mooring.domain.gitops import Credentials, HealthStatus, RepositoryStatus, SyncStatus
from mooring.gitops.errors import GitError
from mooring.gitops.repositories import Repositories
from mooring.services import repositories, template_sync
from mooring.store.database import Database
from mooring.store.tables import Application, Repository
from mooring.store.types import utc_now
from mooring.store.vault import CannotOpen, Vault
from mooring.templates.found_template import FoundTemplate

_LEASE_MARGIN_SECONDS = 60.0
_logger = logging.getLogger("mooring.controllers.applications")


@dataclass(frozen=True)
class _Order:
    """What one sync reads: an application's source as it was when the sync began, and how to get there."""

    name: str
    url: str
    url_key: str
    revision: str
    path: str
    credentials: Credentials


@dataclass(frozen=True)
class ApplicationController:
    """Syncs one application at a time. `every` is the time between two looks at a repository."""

    database: Database
    vault: Vault
    repositories: Repositories
    every: timedelta

    def due(self) -> list[str]:
        """The applications that want a sync now."""
        now = utc_now()
        never = Application.sync_started_at.is_(None)
        # What was asked for may lie ahead: pushes that follow each other closely are synced together.
        asked = and_(
            Application.refresh_requested_at > Application.sync_started_at, Application.refresh_requested_at <= now
        )
        late = Application.sync_started_at < now - self.every
        with self.database.reading() as session:
            return list(session.scalars(select(Application.name).where(or_(never, asked, late))))

    def sync(self, name: str) -> bool:
        """Sync it, unless another control plane does. Always True: the next look is due later."""
        seconds = self.repositories.longest_seconds + _LEASE_MARGIN_SECONDS
        lease = NamedLease(self.database, f"sync/{name}", seconds=seconds)
        if not lease.take():
            return True
        try:
            self._sync(name)
        finally:
            lease.give_back()
        return True

    def tidy(self) -> None:
        """Remove what was fetched for applications that are gone, or that read something else now."""
        with self.database.reading() as session:
            query = select(Repository.url, Application.revision).join(
                Application, Application.url_key == Repository.url_key
            )
            sources = {(url, revision) for url, revision in session.execute(query)}
        self.repositories.keep_only(sources)

    def _sync(self, name: str) -> None:
        order = self._begin(name)
        if order is None:
            return
        try:
            folder = git_folders.comparison_key(order.path)
            commit, found = self.repositories.read(order.url, order.revision, folder, order.credentials)
        except (GitError, TimeoutError, OSError) as error:
            _logger.warning("%s: %s", name, error)
            self._record_failure(order, str(error))
        else:
            self._record(order, commit, found)

    def _begin(self, name: str) -> _Order | None:
        """Note that it has begun; None when there is nothing to sync any more."""
        with self.database.transaction() as session:
            row = session.get(Application, name)
            if row is None:
                return None
            row.sync_started_at = utc_now()
            repository = repositories.find_by_url(session, row.repository_url)
            if repository is None:
                _fail(row, "the repository is not known any more: add it again, or delete the application")
                return None
            try:
                credentials = repositories.credentials_of(self.vault, repository)
            except CannotOpen as error:
                _fail(row, f"{error}: give the repository's credentials again with PATCH")
                return None
            return _Order(name, repository.url, row.url_key, row.revision, row.path, credentials)

    def _record_failure(self, order: _Order, problem: str) -> None:
        """What worked goes on working; what failed can be read."""
        with self.database.transaction() as session:
            row = _unchanged(session, order)
            if row is not None:
                _fail(row, problem)
                _tell_repository(session, order, RepositoryStatus.ERROR, problem)

    def _record(self, order: _Order, commit: str, found: Sequence[FoundTemplate]) -> None:
        with self.database.transaction() as session:
            row = _unchanged(session, order)
            if row is None:
                return
            statuses = template_sync.sync(session, order.name, found)
            failed = [status for status in statuses if status.status != template_sync.SYNCED]
            row.resources = [status.to_json() for status in statuses]
            row.synced_revision, row.sync_finished_at = commit, utc_now()
            row.reconciled_at = row.sync_finished_at
            row.message = _summary(len(statuses) - len(failed), len(failed), commit)
            refreshed = not _is_asked_again(row)
            row.sync_status = (SyncStatus.SYNCED if refreshed and not failed else SyncStatus.OUT_OF_SYNC).value
            row.health_status = (HealthStatus.UNKNOWN if failed else HealthStatus.HEALTHY).value
            _tell_repository(session, order, RepositoryStatus.COMPLETED, "")
        _logger.info("%s: %s", order.name, row.message)


def _unchanged(session: Session, order: _Order) -> Application | None:
    """The application, when it still wants what was read."""
    row = session.get(Application, order.name, with_for_update=True)
    if row is None or (row.url_key, row.revision, row.path) != (order.url_key, order.revision, order.path):
        return None
    return row


def _fail(row: Application, problem: str) -> None:
    row.sync_status, row.health_status = SyncStatus.UNKNOWN.value, HealthStatus.UNKNOWN.value
    row.message = problem
    row.sync_finished_at = utc_now()


def _tell_repository(session: Session, order: _Order, status: RepositoryStatus, message: str) -> None:
    repository = repositories.find_by_url(session, order.url)
    if repository is not None:
        repository.status, repository.status_message = status.value, message


def _is_asked_again(row: Application) -> bool:
    """Whether somebody has asked for a sync since this one began."""
    asked, began = row.refresh_requested_at, row.sync_started_at
    return asked is not None and began is not None and asked > began


def _summary(good: int, bad: int, commit: str) -> str:
    if bad:
        return (
            f"{bad} of {good + bad} templates of {commit[:12]} cannot be used: see their messages; what worked is kept"
        )
    return f"{good} templates of {commit[:12]} are in use"
