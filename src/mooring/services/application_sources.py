"""What an application syncs: a folder of a known repository, at a branch, tag or commit."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from mooring.domain import git_folders, git_revisions, git_urls
from mooring.errors import Conflict, InvalidRequest
from mooring.services import repositories
from mooring.store.tables import Application, Repository


@dataclass(frozen=True)
class Source:
    """As the client gives it; `path` leads from the repository's root to the folder."""

    repository_url: str
    revision: str
    path: str


def repository_by_url(session: Session, url: str) -> Repository:
    """Raises InvalidRequest."""
    repositories.checked_url("repositoryUrl", url)
    found = repositories.find_by_url(session, url)
    if found is None:
        raise _unknown("repositoryUrl", url)
    return found


def repository_by_name(session: Session, name: str) -> Repository:
    """Raises InvalidRequest."""
    found = session.get(Repository, name)
    if found is None:
        raise _unknown("repositoryName", name)
    return found


def refuse_wrong(source: Source) -> None:
    """Raises InvalidRequest, naming the field."""
    for field_name, check, value in (
        ("revision", git_revisions.check, source.revision),
        ("path", git_folders.check, source.path),
    ):
        try:
            check(value)
        except ValueError as error:
            raise InvalidRequest(f"{field_name}: {error}") from None


def refuse_synced_already(session: Session, source: Source, *, by_other_than: str = "") -> None:
    """Raises Conflict when another application syncs the same, however its url and path are spelled."""
    query = select(Application).where(
        Application.url_key == git_urls.comparison_key(source.repository_url),
        Application.revision == source.revision,
        Application.name != by_other_than,
    )
    folder = git_folders.comparison_key(source.path)
    for other in session.scalars(query):
        if git_folders.comparison_key(other.path) == folder:
            raise Conflict(f"the application {other.name!r} syncs this repository, revision and path already: use it")


def _unknown(field_name: str, value: str) -> InvalidRequest:
    return InvalidRequest(
        f"{field_name}: {value!r} is no repository that is known here: add it with POST /v2/admin/repositories"
    )
