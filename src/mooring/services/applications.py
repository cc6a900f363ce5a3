"""Applications: folders of templates in repositories, kept in sync by a controller. Of the whole installation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mooring.domain import git_folders, git_urls
from mooring.domain.generated_names import new_name
from mooring.domain.gitops import HealthStatus, SyncStatus
from mooring.errors import Conflict, NotFound
from mooring.services import application_sources, template_sync
from mooring.services.application_sources import Source
from mooring.services.paging import Page
from mooring.store.tables import Application, Repository
from mooring.store.types import utc_now

LONGEST_NAME = 54
PUSH_PAUSE = timedelta(seconds=2)
_WAITING = "Waiting for the first sync of this revision and path of the repository."
_REFRESHING = "A sync was asked for: waiting for its result."


@dataclass(frozen=True)
class NewApplication:
    """What a client gives: the repository's url or else its name. Without a name of its own, one is made."""

    revision: str
    path: str
    repository_url: str | None = None
    repository_name: str = ""
    name: str | None = None


def create(session: Session, new: NewApplication) -> Application:
    """Keep it; a controller syncs it. Raises InvalidRequest, naming the field, and Conflict when it is there."""
    repository = _repository(session, new)
    source = Source(new.repository_url or repository.url, new.revision, new.path)
    application_sources.refuse_wrong(source)
    name = new.name or _name_for(session, repository, new.path)
    if session.get(Application, name) is not None:
        raise Conflict(f"applicationName: {name!r} is taken by another application: choose another one")
    application_sources.refuse_synced_already(session, source)
    created = Application(name=name)
    _point_to(created, source)
    session.add(created)
    session.flush()
    return created


def get(session: Session, name: str) -> Application:
    """Raises NotFound."""
    found = session.get(Application, name)
    if found is None:
        raise NotFound(f"there is no application {name!r}: GET /v2/admin/applications lists them")
    return found


def list_of(session: Session, page: Page) -> Sequence[Application]:
    """All applications, newest first."""
    return session.scalars(page.of(select(Application), Application.created_at, Application.name)).all()


def count(session: Session) -> int:
    """How many there are."""
    return session.scalar(select(func.count()).select_from(Application)) or 0


def change_source(session: Session, name: str, source: Source) -> None:
    """Sync something else from now on. Raises NotFound, InvalidRequest, Conflict."""
    found = get(session, name)
    application_sources.repository_by_url(session, source.repository_url)
    application_sources.refuse_wrong(source)
    application_sources.refuse_synced_already(session, source, by_other_than=name)
    _point_to(found, source)
    found.modified_at = utc_now()
    session.flush()


def refresh(session: Session, name: str) -> None:
    """Ask for a sync now; until it is done, the application is not `Synced`. Raises NotFound."""
    found = get(session, name)
    found.refresh_requested_at = utc_now()
    found.sync_status, found.message = SyncStatus.OUT_OF_SYNC.value, _REFRESHING


def pushed(session: Session, places: frozenset[str]) -> list[str]:
    """Ask for a sync of all that read from a repository at these places (`git_urls.place`); returns their names.

    However many pushes come, no two syncs are asked for within `PUSH_PAUSE`: a later push moves the sync back, and is
    told of by it.
    """
    known = session.execute(select(Application.name, Application.repository_url).order_by(Application.name)).all()
    names = [name for name, url in known if git_urls.place(url) in places]  # each url was checked when it came
    rows = session.scalars(
        select(Application).where(Application.name.in_(names)).order_by(Application.name).with_for_update()
    )
    return [row.name for row in rows if _ask_for_sync_of_push(row)]


def _ask_for_sync_of_push(row: Application) -> bool:
    asked, began = row.refresh_requested_at, row.sync_started_at
    if began is None or (asked is not None and asked > began):
        return False  # one that begins later will see this push, too
    now = utc_now()
    row.refresh_requested_at = max(now, asked + PUSH_PAUSE) if asked else now
    row.sync_status, row.message = SyncStatus.OUT_OF_SYNC.value, _REFRESHING
    return True


def remove(session: Session, name: str) -> None:
    """Its executables go with it; what was made of them runs on. Raises NotFound."""
    found = get(session, name)
    template_sync.remove_all(session, name)
    session.delete(found)
    session.flush()


def _repository(session: Session, new: NewApplication) -> Repository:
    if new.repository_url is not None:
        return application_sources.repository_by_url(session, new.repository_url)
    return application_sources.repository_by_name(session, new.repository_name)


def _name_for(session: Session, repository: Repository, path: str) -> str:
    wish = f"{repository.name}-{git_folders.comparison_key(path)}"
    taken = set(session.scalars(select(Application.name)))
    return new_name(wish, taken, noun="application", longest=LONGEST_NAME)


def _point_to(application: Application, source: Source) -> None:
    """From here on, what was synced before says nothing any more."""
    application.repository_url = source.repository_url
    application.url_key = git_urls.comparison_key(source.repository_url)
    application.revision, application.path = source.revision, source.path
    application.health_status = HealthStatus.UNKNOWN.value
    application.sync_status, application.message = SyncStatus.OUT_OF_SYNC.value, _WAITING
    application.synced_revision = application.reconciled_at = None
    application.sync_started_at = application.sync_finished_at = None
    application.refresh_requested_at = utc_now()
