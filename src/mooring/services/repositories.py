"""Git repositories, of the whole installation: where they lie, and the credentials for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mooring.domain import git_urls
from mooring.domain.generated_names import new_name
from mooring.domain.git_urls import GitUrl
from mooring.domain.gitops import Credentials, RepositoryStatus
from mooring.errors import Conflict, InvalidRequest, NotFound
from mooring.services.paging import Page
from mooring.store.tables import Application, Repository
from mooring.store.types import utc_now
from mooring.store.vault import Vault

LONGEST_NAME = 51


@dataclass(frozen=True)
class NewRepository:
    """What a client gives. Without a name, one is made of the url."""

    url: str
    credentials: Credentials
    name: str | None = None


def create(session: Session, vault: Vault, new: NewRepository, *, local_folders: Sequence[Path] = ()) -> Repository:
    """Keep it; whether it can be read shows the first fetch. Raises InvalidRequest, and Conflict when it is there.

    On this machine, it lies below one of the `local_folders` (where its links lead, the first fetch sees).
    """
    url = checked_url("url", new.url)
    if url.scheme == git_urls.LOCAL and not any(Path(url.path).is_relative_to(folder) for folder in local_folders):
        raise InvalidRequest(
            "url: it is a folder of this machine, and not below one that the operator lists in the setting "
            f"git_folders (MOORING_GIT_FOLDERS): list it there, or write {git_urls.FORMS}"
        )
    same = find_by_url(session, url.text)
    if same is not None:
        raise Conflict(f"url: it is that of the repository {same.name!r} already: use that one")
    name = new.name or _name_for(session, url)
    if session.get(Repository, name) is not None:
        raise Conflict(f"name: {name!r} is taken by another repository: choose another one")
    created = Repository(
        name=name,
        url=url.text,
        url_key=git_urls.comparison_key(url.text),
        credentials=_sealed(vault, name, new.credentials),
        status=RepositoryStatus.IN_PROGRESS.value,
    )
    session.add(created)
    session.flush()
    return created


def get(session: Session, name: str) -> Repository:
    """Raises NotFound."""
    found = session.get(Repository, name)
    if found is None:
        raise NotFound(f"there is no repository {name!r}: GET /v2/admin/repositories lists them")
    return found


def find_by_url(session: Session, url: str) -> Repository | None:
    """The repository of this url, or None; case and slashes at the end do not matter."""
    return session.scalar(select(Repository).where(Repository.url_key == git_urls.comparison_key(url)))


def list_of(session: Session, page: Page) -> Sequence[Repository]:
    """All repositories, newest first."""
    return session.scalars(page.of(select(Repository), Repository.created_at, Repository.name)).all()


def count(session: Session) -> int:
    """How many there are."""
    return session.scalar(select(func.count()).select_from(Repository)) or 0


def change_credentials(session: Session, vault: Vault, name: str, credentials: Credentials) -> None:
    """Replace them; whether they work shows at the next fetch. Raises NotFound."""
    found = get(session, name)
    found.credentials = _sealed(vault, name, credentials)
    found.status, found.status_message = RepositoryStatus.IN_PROGRESS.value, ""
    found.modified_at = utc_now()


def credentials_of(vault: Vault, repository: Repository) -> Credentials:
    """For whoever fetches. Raises `mooring.store.vault.CannotOpen`."""
    return Credentials(**vault.open_values(repository.credentials, place=_place(repository.name)))


def remove(session: Session, name: str) -> None:
    """Raises NotFound, and Conflict while an application reads from it."""
    found = get(session, name)
    query = select(Application.name).where(Application.url_key == found.url_key).order_by(Application.name)
    users = session.scalars(query).all()
    if users:
        raise Conflict(f"the repository {name!r} is in use: delete the applications {', '.join(users)} first")
    session.delete(found)
    session.flush()


def checked_url(field_name: str, url: str) -> GitUrl:
    """Raises InvalidRequest, naming the field."""
    try:
        return git_urls.parse(url)
    except ValueError as error:
        raise InvalidRequest(f"{field_name}: {error}") from None


def _name_for(session: Session, url: GitUrl) -> str:
    taken = set(session.scalars(select(Repository.name)))
    return new_name(url.repository, taken, noun="repository", longest=LONGEST_NAME)


def _sealed(vault: Vault, name: str, credentials: Credentials) -> bytes:
    return vault.seal_values(vars(credentials), place=_place(name))


def _place(name: str) -> str:
    return f"repositories/{name}"
